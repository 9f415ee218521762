"""An encrypted database file: Django's SQLite backend over SQLCipher. The key is the settings' PASSWORD."""

import datetime
import decimal
from collections.abc import Mapping
from itertools import tee
from typing import Any

from django.db.backends.sqlite3 import _functions
from django.db.backends.sqlite3 import base as stock
from sqlcipher3 import dbapi2

from config.libsql import cipher, embedded

for _name, _convert in {
    "bool": b"1".__eq__,
    "date": stock.decoder(stock.parse_date),
    "time": stock.decoder(stock.parse_time),
    "datetime": stock.decoder(stock.parse_datetime),
    "timestamp": stock.decoder(stock.parse_datetime),
}.items():
    dbapi2.register_converter(_name, _convert)
dbapi2.register_adapter(decimal.Decimal, str)
dbapi2.register_adapter(datetime.date, stock.adapt_date)
dbapi2.register_adapter(datetime.datetime, stock.adapt_datetime)


class CipherCursor(dbapi2.Cursor):
    """Django's placeholders, on SQLCipher's cursor."""

    convert_query = stock.SQLiteCursorWrapper.convert_query

    def execute(self, query: str, params: Any = None) -> Any:
        if params is None:
            return super().execute(query)
        names = list(params) if isinstance(params, Mapping) else None
        return super().execute(self.convert_query(query, param_names=names), params)

    def executemany(self, query: str, param_list: Any) -> Any:
        first_of, param_list = tee(iter(param_list))
        first = next(first_of, None)
        names = list(first) if first and isinstance(first, Mapping) else None
        return super().executemany(self.convert_query(query, param_names=names), param_list)


class Cursor(embedded.WaitingCursor, CipherCursor):
    pass


class DatabaseWrapper(embedded.DatabaseWrapper):
    Database = dbapi2
    cursor_class = Cursor
    display_name = "libSQL (embedded, encrypted)"

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the file with its key. Raises OperationalError where the key is not the file's."""
        connection = dbapi2.connect(**conn_params)
        try:
            cipher.unlock(connection, self.settings_dict["PASSWORD"])
        except dbapi2.DatabaseError as error:
            connection.close()
            if not cipher.is_wrong_key(error):
                raise
            raise dbapi2.OperationalError(
                "DATABASE_KEY does not open the database file: the key is another one, or the file is not encrypted."
            ) from error
        _functions.register(connection)
        for command in ("PRAGMA foreign_keys = ON", "PRAGMA legacy_alter_table = OFF", *self.init_commands):
            if command.strip():
                connection.execute(command)
        return connection
