"""Records the time once a second, and says where: a client that goes on through a failover."""

import pathlib
import sys
import time

import psycopg

URL = pathlib.Path("/run/secrets/database-url").read_text()


def record() -> None:
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS records (at timestamptz DEFAULT now(), server inet)")
        while True:
            connection.execute("INSERT INTO records (server) VALUES (inet_server_addr())")
            (count,) = connection.execute("SELECT count(*) FROM records").fetchone()
            print(f"{count} records", flush=True)
            time.sleep(1)


while True:
    try:
        record()
    except psycopg.OperationalError as error:
        print(f"connecting again: {error}", file=sys.stderr, flush=True)
        time.sleep(1)
