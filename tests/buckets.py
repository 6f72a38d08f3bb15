"""A local server that speaks S3, with a bucket of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from uuid import uuid4

import pytest


@contextmanager
def bucket() -> Iterator[str]:
    """Start a server and give the address of an empty bucket, which fsspec reaches meanwhile."""
    server = pytest.importorskip("moto.server", reason="the tests of S3 need moto[server]")
    pytest.importorskip("s3fs", reason="the tests of S3 need s3fs")
    import fsspec

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    served = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    known = {
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }  # fmt: skip
    try:
        with mock.patch.dict(os.environ, known):
            files = fsspec.filesystem("s3", skip_instance_cache=True)
            name = f"cohorts-{uuid4().hex}"  # all servers of a process keep their buckets together
            files.mkdir(name)
            type(files).clear_instance_cache()
            yield f"s3://{name}"
            type(files).clear_instance_cache()
    finally:
        served.stop()
