"""Objects of a bucket: `gs://bucket/folder` and `s3://bucket/folder`.

Through TensorStore's own drivers, which need nothing installed and find credentials as
the providers' tools do (environment, files, the machine's service account). Orbax and
etils are not used for this: Orbax 0.12.8 writes S3 addresses as `s3:/`, which
TensorStore refuses, and where TensorFlow is installed etils asks it for every address,
which knows no S3.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import tensorstore as ts

from ...objectives.errors import UsageError

SCHEMES = ("gs", "s3")

TIMEOUT_SECONDS = 60.0
"""For an operation on a small object."""

TRANSFER_SECONDS = 1800.0
"""For an object of a checkpoint, of at most about 2 GB."""


class ObjectStoreError(UsageError, RuntimeError):
    """An object could not be read or written."""


class ObjectStore:
    """The objects below an address. Its methods may be called from many threads."""

    def __init__(self, address: str):
        """Names the bucket; nothing is asked of it yet.

        Raises:
          UsageError: that is no address of a bucket.
        """
        self.address = address.rstrip("/")
        spec = _spec(self.address)
        self._store = ts.KvStore.open(spec).result(timeout=TIMEOUT_SECONDS)

    def read(self, name: str, *, seconds: float = TIMEOUT_SECONDS) -> tuple[bytes, Any]:
        """An object and its generation; empty if there is none.

        Raises:
          ObjectStoreError: the bucket cannot be reached or read.
        """
        found = self._result(self._store.read(name), name, seconds)
        return found.value, found.stamp.generation

    def write(self, name: str, content: bytes) -> None:
        """Writes an object.

        Raises:
          ObjectStoreError: it cannot be written.
        """
        self._result(self._store.write(name, content), name, TRANSFER_SECONDS)

    def swap(self, name: str, content: bytes, *, generation: Any) -> Any:
        """Writes an object unless it is another than the one that was read.

        Args:
          name: of the object.
          content: of the new one.
          generation: of the one that it replaces, from `read` or `swap`.

        Returns:
          The new generation; None if another one was there.

        Raises:
          ObjectStoreError: it cannot be written.
        """
        written = self._store.write(name, content, if_equal=generation)
        return self._result(written, name, TIMEOUT_SECONDS).generation or None

    def delete(self, name: str) -> None:
        """Deletes an object, if there is one."""
        self._result(self._store.write(name, None), name, TIMEOUT_SECONDS)

    def names(self) -> list[str]:
        """The names of all objects, in order."""
        found = self._result(self._store.list(), "", TIMEOUT_SECONDS)
        return sorted(name.decode() for name in found)

    def _result(self, future: Any, name: str, seconds: float) -> Any:
        try:
            return future.result(timeout=seconds)
        except TimeoutError as error:
            reason = f"no answer in {seconds:.0f} s"
            raise self._error(name, reason) from error
        except (ValueError, OSError, RuntimeError) as error:
            raise self._error(name, str(error).splitlines()[0][:200]) from error

    def _error(self, name: str, reason: str) -> ObjectStoreError:
        return ObjectStoreError(
            f"{self.address}/{name}: {reason}; check the address, the network, and the "
            "credentials as gcloud or aws find them."
        )


def _spec(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES or not parts.netloc or not parts.path.strip("/"):
        raise UsageError(
            f"{address!r} is no folder of a bucket; give gs://BUCKET/FOLDER or "
            "s3://BUCKET/FOLDER."
        )
    path = f"{parts.path.strip('/')}/"
    if parts.scheme == "gs":
        return {"driver": "gcs", "bucket": parts.netloc, "path": path}
    spec = {"driver": "s3", "bucket": parts.netloc, "path": path}
    # TensorStore asks for neither variable, on which AWS's own tools agree.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3", os.environ.get("AWS_ENDPOINT_URL"))
    region = os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION"))
    if endpoint:
        return {**spec, "endpoint": endpoint, "aws_region": region or "us-east-1"}
    return {**spec, "aws_region": region} if region else spec
