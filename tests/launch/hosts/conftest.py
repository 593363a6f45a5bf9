"""Processes of a job as threads of one, with jax's own coordination service.

What is told, and when a barrier opens, is jax's; no store is made up here.
"""

import contextlib
import importlib.util
import socket
import sys
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from jax._src.lib import _jax

from sightline.launch.hosts import coordination, preflight, progress, stopping, watch


class Peer:
    """One process: modules of its own, with the state that they hold.

    What would end the process raises `SystemExit`, with its status.

    Attributes:
      coordination: of this process, as are the others.
      preflight: that asks the others through it.
      progress: what this process did last.
      stopping: agrees on a step through it.
      watch: hears of the others through it.
    """

    def __init__(self, client, number, count):
        parts = (coordination, preflight, progress, stopping, watch)
        copies = {part.__name__.rpartition(".")[2]: _copy(part) for part in parts}
        for name, module in copies.items():
            setattr(self, name, module)
            for other in copies.keys() & vars(module).keys():
                setattr(module, other, copies[other])
        self.watch.leave = sys.exit
        self.coordination.distributed = types.SimpleNamespace(
            global_state=types.SimpleNamespace(
                client=client, process_id=number, num_processes=count
            )
        )


def _copy(module):
    spec = importlib.util.spec_from_file_location(module.__name__, module.__file__)
    assert spec is not None and spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


@pytest.fixture(scope="module")
def peers():
    """`peers(count)`: so many processes that have found each other."""
    with contextlib.ExitStack() as stack:

        def start(count):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                address = f"127.0.0.1:{probe.getsockname()[1]}"
            service = _jax.get_distributed_runtime_service(address, count)
            stack.callback(service.shutdown)
            clients = [
                _jax.get_distributed_runtime_client(
                    address, number, shutdown_on_destruction=False
                )
                for number in range(count)
            ]
            _at_once(client.connect for client in clients)
            stack.callback(lambda: _at_once(client.shutdown for client in clients))
            return [Peer(client, n, count) for n, client in enumerate(clients)]

        yield start


@pytest.fixture
def lost():
    """A process that cannot reach the first one."""
    client = _jax.get_distributed_runtime_client(
        "127.0.0.1:1", 1, rpc_timeout=1, shutdown_on_destruction=False
    )
    return Peer(client, 1, 2)


@pytest.fixture(scope="session")
def at_once():
    """`at_once(calls)`: what each returns or raises, when all are made together."""
    return _at_once


def _at_once(calls):
    def outcome(call):
        try:
            return call()
        except (Exception, SystemExit) as error:
            return error

    calls = list(calls)
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))
