"""Writes, finds and deletes objects over the HTTP API, with nothing but the standard library of Python.

    python3 examples/python-http/reembed_http.py docs
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


# How long a call waits for the end of its task.
WAIT_SECONDS = 60


class ReembedError(Exception):
    """An error of the API: `type` is stable, `issues` names each invalid field."""

    def __init__(self, problem):
        super().__init__(problem.get("detail") or problem.get("title"))
        self.type = problem.get("type", "").rpartition(":")[2]
        self.issues = problem.get("issues", [])


class Reembed:
    """Calls the API; the paths and bodies are those of `/openapi.json`."""

    def __init__(self, base_url, token=None, timeout=120):
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.timeout = timeout

    def call(self, method, path, body=None, **query):
        url = self.base_url + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            try:
                problem = json.load(error)
            except ValueError:
                problem = {"title": f"{url} answered with status {error.code}"}
            raise ReembedError(problem) from None

    def create_index(self, index, **config):
        return self.call("PUT", f"/v1/indexes/{quote(index)}", config)[1]

    def upsert(self, index, items):
        """Writes objects and returns the tracker when they are found by searches."""
        return self._run("upsert", {"index": index, "items": items})

    def delete(self, index, ids):
        return self._run("delete", {"index": index, "ids": ids})

    def search(self, index, text, **options):
        return self.call("POST", f"/v1/indexes/{quote(index)}/search", {"text": text, **options})[1]

    def get(self, index, object_id):
        return self.call("GET", f"/v1/indexes/{quote(index)}/objects/{quote(object_id)}")[1]

    def _run(self, kind, body):
        status, tracker = self.call("POST", f"/v1/tasks/{kind}/run", body, wait="true", timeout=WAIT_SECONDS)
        if status == 202:
            raise TimeoutError(f"{tracker['id']} has not ended yet: ask /v1/tasks/info for it")
        _, failed = self.call("GET", "/v1/tasks/failed-items", taskId=tracker["id"])
        if tracker["status"] != "done" or failed["total"] > 0:
            raise RuntimeError(f"{tracker['id']} is {tracker['status']}: {tracker['detail']} {failed['items'][:5]}")
        return tracker


def quote(name):
    return urllib.parse.quote(name, safe="")


def main(index):
    reembed = Reembed(os.environ.get("REEMBED_URL", "http://127.0.0.1:7400"), os.environ.get("REEMBED_TOKEN"))
    reembed.create_index(index, model={"provider": "words"})
    reembed.upsert(
        index,
        [
            {"id": "lion", "payload": "Lions sleep in the shade.", "metadata": {"kind": "mammal"}},
            {"id": "carp", "payload": "Carps live in slow rivers.", "metadata": {"kind": "fish"}},
        ],
    )
    for hit in reembed.search(index, "a big cat rests", limit=1)["hits"]:
        print(f"{hit['id']}: {hit['payload']}")
    for hit in reembed.search(index, "a big cat rests", filter={"kind": "fish"})["hits"]:
        print(f"{hit['id']}: {hit['payload']}")
    reembed.delete(index, ["carp"])
    try:
        reembed.get(index, "carp")
    except ReembedError as error:
        print(f"{error.type}: {error}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "animals")
