"""Processes that are told to stop, killed or asked too much: nobody is cut off, none is left."""

import json
import os
import signal
import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from support.load import LEAD, Load, make_request, p99_ms, report
from support.services import read_all, running_service
from support.versions import find_processes, is_seen

from leadscore.serve.service.http.protocol import MOST_CONNECTIONS

pytestmark = [pytest.mark.proof, pytest.mark.alone]
MARGIN_S = 0.002
"""Between a client that notes the time and the signal; what was sent later may be refused."""


def read_logged(path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT request_id FROM scores")}


PAUSE_S = 0.005
"""Between the requests of one connection."""


def _locks(database):
    """Take the write lock between two writers, which SQLite's own waiting may miss."""
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop_under_load_it_answers_what_is_begun_and_keeps_the_log(
    registry, workers, capsys
):
    log = registry.store_folder / "scores.db"
    options = ("--workers", str(workers), "--log-scores", str(log))
    with running_service(registry.store_folder, *options) as service:
        with (  # with pauses: at full speed more than the 10,000 that may wait would come
            Load(service.port, 16, PAUSE_S, numbered=True) as load,
            Load(service.port, 4, PAUSE_S) as others,
        ):
            service.wait_for(lambda: len(load.answers) > 300)
            idle = socket.create_connection(("127.0.0.1", service.port), timeout=10.0)
            with closing(sqlite3.connect(log, 0.0, isolation_level=None)) as other:
                service.wait_for(lambda: _locks(other))  # so that entries have to wait
                time.sleep(0.2)
                told_s = time.monotonic()
                service.process.send_signal(signal.SIGTERM)
                assert idle.recv(1) == b""  # the worker is about to end
                time.sleep(0.3)
            assert service.process.wait(timeout=10.0) == 0
            took_s = time.monotonic() - told_s
            time.sleep(0.2)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", service.port))
        idle.close()
    assert took_s < 10.0
    late = sum(a.error == "lost" for a in (*load.answers, *others.answers))
    report(capsys, f"stopped in {took_s:.2f} s; {late} requests sent after that were lost")
    for answers in (load.answers, others.answers):
        assert not [a for a in answers if a.sent_s < told_s - MARGIN_S and a.error is not None]
    named = [a.body["request_id"] for a in load.answers if a.is_score]
    assert set(named) <= read_logged(log)
    assert not find_processes(str(registry.store_folder))


def test_the_log_keeps_up_with_clients_that_never_pause(registry, capsys):
    log = registry.store_folder / "scores.db"
    with running_service(registry.store_folder, "--log-scores", str(log)) as service:
        with Load(service.port, 16, numbered=True) as load:
            service.wait_for(lambda: len(load.answers) > 20_000, 60.0)  # twice as many as may wait
        assert "\nleadscore_log_entries_lost 0.0\n" in service.client.get("/metrics").text
        report(capsys, f"{len(load.answers)} answers logged while nobody paused")
    named = [a.body["request_id"] for a in load.answers if a.is_score]
    assert len(named) > 20_000
    assert set(named) <= read_logged(log)


def test_a_connection_whose_request_is_on_its_way_is_not_cut_off_by_a_stop(registry):
    request = make_request(LEAD)
    with running_service(registry.store_folder) as service:
        begun = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(3)]
        for connection, part in zip(begun, (request[:30], request[:-10], b""), strict=True):
            connection.settimeout(10.0)
            connection.sendall(part)
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        for connection, part in zip(begun, (request[30:], request[-10:], request), strict=True):
            connection.sendall(part)
        answers = [read_all(connection) for connection in begun]
        assert service.process.wait(timeout=10.0) == 0
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert b"connection: close" in answer


def test_killed_workers_and_followers_are_started_again(registry):
    with running_service(registry.store_folder, "--workers", "2") as service:
        children = service.children()
        with Load(service.port, 4, pause_s=0.005) as load:
            service.wait_for(lambda: len(load.answers) > 50)
            worker = service.find_child("leadscore.serve.service.processes.worker")
            os.kill(worker, signal.SIGKILL)
            service.wait_for(
                lambda: len(service.children()) == 3 and worker not in service.children()
            )
            lost = len(load.failed)
            after = load.mark()
            follower = service.find_child("leadscore.serve.service.processes.follower")
            os.kill(follower, signal.SIGKILL)
            number = registry.add(registry.scorecard.model_copy(
                update={"training": {"again": 1}}).sealed())  # fmt: skip
            registry.point(number)
            service.wait_for(lambda: service.version() == number)
            service.wait_for(lambda: len(service.children()) == 3)
            assert len(set(service.children()) & set(children)) == 1
    assert lost <= 4  # one for each connection, at most: those the killed worker held
    assert all(a.is_score for a in load.answers[after + 4 :])
    ended = [(x["kind"], x["code"]) for x in service.log() if x["event"] == "process_ended"]
    assert ended == [("worker", -9), ("follower", -9)]


@pytest.mark.parametrize("after_s", [0.0, 3.0])
def test_a_killed_supervisor_leaves_nobody_behind(registry, after_s):
    """Killed at once, its children are not even ready to look who has started them."""
    with running_service(registry.store_folder, "--workers", "2", ready=False) as service:
        if after_s:
            service.wait_for(lambda: service.children())
            time.sleep(after_s)
        service.process.kill()
        service.process.wait()
        deadline = time.monotonic() + 20.0
        while find_processes(str(registry.store_folder)):
            assert time.monotonic() < deadline, find_processes(str(registry.store_folder))
            time.sleep(0.1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", service.port))
    with running_service(registry.store_folder) as service:  # and nothing is in the way of the next
        assert service.version() == 1
        assert len(list((registry.store_folder / "serving" / "demo").glob("metrics-*"))) == 1


def test_more_connections_than_it_takes_are_told_to_come_again(registry, capsys):
    """Those that came first are answered all the while, the others get a problem, and it ends."""
    request = make_request(LEAD)
    with running_service(registry.store_folder) as service:
        with Load(service.port, 4, pause_s=0.005) as load:
            service.wait_for(lambda: len(load.answers) > 50)
            held = []
            for _ in range(MOST_CONNECTIONS):
                held.append(socket.create_connection(("127.0.0.1", service.port)))
            surplus = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(200)]
            begin = load.mark()

            def ask(connection: socket.socket) -> bytes:
                connection.settimeout(10.0)
                connection.sendall(request)
                return read_all(connection)

            with ThreadPoolExecutor(16) as pool:
                told = list(pool.map(ask, surplus))
            time.sleep(1.0)
            end = load.mark()
            first = held[0]
            first.settimeout(10.0)
            first.sendall(request)
            assert first.recv(65536).startswith(b"HTTP/1.1 200")
            for connection in (*held, *surplus):
                connection.close()
            freed_s = time.monotonic()
            service.wait_for(lambda: is_seen(lambda: service.post("/v1/score", LEAD).is_success))
            recovered_s = time.monotonic() - freed_s
    assert end > begin
    assert not load.failed
    for answer in told:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert b"content-type: application/problem+json" in head
        assert b"retry-after: 1" in head
        assert json.loads(body)["status"] == 503
    assert recovered_s < 5.0
    report(capsys, f"p99 before {p99_ms(load.answers[:begin]):.1f} ms, "
           f"at the limit {p99_ms(load.answers[begin:end]):.1f} ms, "
           f"recovered in {recovered_s:.2f} s")  # fmt: skip
