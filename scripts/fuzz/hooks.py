"""Rules that the document cannot express, and requests that must not be sent: nothing may be loaded from elsewhere."""

import schemathesis
from schemathesis import GenerationMode

NOWHERE = "http://127.0.0.1:9/"
LONGEST_WAIT_SECONDS = 2
# Node reads at most 16 KB of URL and headers; the response to more, 431, is tested elsewhere.
LONGEST_PARAMETER_BYTES = 4_000
LINES_ONLY = ("index", "taskId", "task_id", "onReindex", "maxAttempts", "ignoreFailedItems")


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx, response):
    import json

    text = response.content.decode("utf-8").split("\n")[0]
    return json.loads(text) if text else {
        "id": "", "version": 0, "payload": "", "metadata": {}, "originalId": None, "uri": None, "failed": False,
        "parts": [],
    }


@schemathesis.hook
def filter_query(ctx, query):
    return all(len(str(value).encode("utf-8", "replace")) <= LONGEST_PARAMETER_BYTES for value in (query or {}).values())


@schemathesis.hook
def before_call(ctx, case, kwargs):
    case.body = kept_here(case.body)
    if not isinstance(case.query, dict):
        return
    case.query.pop("task_id", None)  # an alternative to `taskId`, which the document requires
    try:
        if LONGEST_WAIT_SECONDS < float(case.query.get("timeout", LONGEST_WAIT_SECONDS)) <= 600:
            case.query["timeout"] = LONGEST_WAIT_SECONDS
    except (TypeError, ValueError):
        pass  # invalid data is sent unchanged
    if "wait" in case.query:
        case.query.setdefault("timeout", LONGEST_WAIT_SECONDS)
    meta = case.meta
    if meta is None or meta.generation.mode != GenerationMode.POSITIVE:
        return
    # Valid values depend on an earlier response or the type of the task.
    for name in ("cursor", "onlyFailed", "after", "indexCreateTime"):
        case.query.pop(name, None)
    if case.operation.path.endswith("/run"):
        if case.media_type == "application/x-ndjson":
            case.query.setdefault("index", "docs")
            case.body = '"a"\n' if "delete" in case.operation.path else '{"id":"a","payload":"x"}\n'
        else:
            for name in LINES_ONLY:
                case.query.pop(name, None)
    case.body = made_good(case.body)


def kept_here(value):
    """Replaces addresses with one of this machine where nobody listens."""
    if isinstance(value, list):
        return [kept_here(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: kept_here(inner) for key, inner in value.items()}
    if isinstance(kept.get("uri"), str) and kept["uri"]:
        kept["uri"] = NOWHERE
    if kept.get("provider") == "openai" and isinstance(kept.get("baseUrl", ""), str):
        kept["baseUrl"] = NOWHERE + "v1"
    return kept


def made_good(value):
    """Makes fields consistent where a schema can describe only one field."""
    if isinstance(value, list):
        return [made_good(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    good = {key: made_good(inner) for key, inner in value.items()}
    if "chunkTokens" in good or "overlapTokens" in good:
        for name in ("chunkSize", "chunkOverlap", "overlapTokens"):
            good.pop(name, None)
    if isinstance(good.get("watch"), dict):  # needs a bound, and an index that is kept current
        del good["watch"]
    good.pop("tokenizer", None)  # the example is the name of a file
    if "model" in good and "index" not in good and isinstance(good["model"], dict) and "provider" not in good["model"]:
        good["model"] = {"queryPrefix": None}  # the index has no remote model, whose calls may be changed
    if good.get("kind") == "none":
        good = {"kind": "none"}
    if "efConstruction" in good:
        good["efConstruction"] = max(good["efConstruction"], 2 * good.get("m", 16))
    if "chunkSize" in good or "chunkOverlap" in good:
        good["chunkOverlap"] = min(good.get("chunkOverlap", 0), good.get("chunkSize", 2000) - 1)
    if "vector" in good:
        good["text"] = "lion"
        del good["vector"]
    if isinstance(good.pop("parts", None), list):  # only an index with ready vectors accepts them
        good.setdefault("payload", "lion")
    if good.get("provider") == "custom":
        good = {"provider": "hash"}
    if "source" in good and "dest" in good:
        good.setdefault("destModel", {"provider": "hash"})
        if good["source"] == good["dest"]:
            good["dest"] = (good["dest"] + "-2")[-63:].lstrip("-._")
    if "action" in good:
        good.pop("force", None)
        good.pop("reason", None)
    if "every" in good:
        for name in ("timeZone", "jitter", "catchUp", "options"):
            good.pop(name, None)
        if isinstance(good["every"], str):
            good["every"] = "24h"
    for name in ("items", "ids"):
        if isinstance(good.get(name), list):
            good[name] = [single(item, at) for at, item in enumerate(good[name])]
    return good


def single(item, at):
    """Makes ids unique, and removes versions, which only indexes with external versioning accept."""
    if not isinstance(item, dict):
        return f"{at}"
    return {**{key: inner for key, inner in item.items() if key not in ("version", "originalId")}, "id": f"{at}"}
