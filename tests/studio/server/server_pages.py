"""A page of LiVOS Studio as its server knows it, and what such pages draw."""

import time

import numpy as np

from livos.studio.runs import from_runs, to_runs

TOKEN, SIZE, NUM_FRAMES = "secret", (48, 64), 12
HOME = {"host": "127.0.0.1:8765", "x-studio-token": TOKEN}


class Page:
    """An open page: the messages to it, and requests in its name."""

    def __init__(self, client, socket):
        self.client, self.socket = client, socket
        hello = socket.receive_json()
        self.number, self.active = hello["page"], hello["active"]
        self.told = []

    def until(self, wanted, seconds=60):
        """The next message that fits."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.socket.receive_json()
            self.told.append(message)
            if wanted(message):
                return message
        raise TimeoutError

    def until_idle(self):
        """The note with which a job ends."""
        note = self.until(lambda message: message["type"] == "note")
        self.until(lambda message: message["type"] == "state" and message["state"]["job"] is None)
        return note

    def ask(self, method, path, status=200, **more):
        headers = {"x-studio-page": str(self.number)}
        answer = self.client.request(method, f"/api/{path}", headers=headers, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.content

    def labels(self, number):
        return from_runs(self.ask("GET", f"masks/{number}"), SIZE)


def square(number, object_id=1, top=10):
    labels = np.zeros(SIZE, np.uint8)
    labels[top : top + 16, 2 * number : 2 * number + 16] = object_id
    return labels


def draw(page, number, labels, ids="1"):
    return page.ask("PUT", f"masks/{number}?ids={ids}&title=stroke", content=to_runs(labels))
