"""Measuring never fails what is measured."""

import subprocess
import sys

from tests.processes import ROOT

PROGRAM = """
import os, shutil, sys
folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
from billing import measures
shutil.rmtree(folder)  # as if the disk took nothing
measures.count(measures.ENTITLEMENT, "full", "paid")
measures.observe(measures.WEBHOOKS, 0.1, 200)
with measures.asking_stripe("POST", "/v1/invoices/in_1/pay"):
    print("the answer of Stripe")
"""


def test_where_counts_cannot_be_kept_the_answer_comes(tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "the answer of Stripe\n"), done.stderr
    assert done.stderr.count("not measured: PROMETHEUS_MULTIPROC_DIR takes nothing") == 3
