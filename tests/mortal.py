"""A process of manage.py that dies at a given place, as by kill -9.

``python -m tests.mortal FILE FUNCTION call|return COMMAND…``
"""

import os
import signal
import sys
import threading
from typing import Any

import django
from django.core.management import call_command


def main(file: str, function: str, moment: str, *command: str) -> None:
    def watch(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == moment and code.co_name == function and code.co_filename.endswith(file):
            os.kill(os.getpid(), signal.SIGKILL)

    django.setup()
    sys.setprofile(watch)
    threading.setprofile(watch)
    call_command(*command)


if __name__ == "__main__":
    main(*sys.argv[1:])
