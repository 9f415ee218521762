"""Reading the JSON of a request. What cannot be read or kept is a 400, whatever bytes come."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class Json(JSONParser):
    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Read the body. Raises: ParseError, also where it nests too deeply, or has half of a surrogate pair."""
        try:
            given = super().parse(stream, media_type, parser_context)
            json.dumps(given, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("JSON parse error - a text has half of a surrogate pair, which is no character.") from None
        return given
