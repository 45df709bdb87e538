"""The load generator's HTTP client, which reads answers as bytes."""

from bench.load.connection import Connection, request

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nlocation: /orders/1\r\n\r\nbody"


def answers(*pieces: bytes) -> list[int]:
    seen: list[int] = []
    connection = Connection(lambda _, status: seen.append(status))
    for piece in pieces:
        connection.data_received(piece)
    return seen


def test_an_answer_counts_once_it_is_whole_however_it_is_cut() -> None:
    for cut in range(1, len(ANSWER)):
        assert answers(ANSWER[:cut]) == []
        assert answers(ANSWER[:cut], ANSWER[cut:]) == [202]


def test_an_answer_without_a_body_is_whole_with_its_head() -> None:
    assert answers(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") == [503]


def test_a_request_says_how_long_it_is() -> None:
    assert request("127.0.0.1:8101", "a.b.c", b"{}").endswith(b"\r\nContent-Length: 2\r\n\r\n{}")
