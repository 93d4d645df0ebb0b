"""Calls to a Kubernetes API server, as its own objects."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

Object = dict[str, Any]
APPLY = "application/apply-patch+yaml"
NOT_FOUND, TOO_MANY_REQUESTS = 404, 429
_TIMEOUT_SECONDS = 60


class Refused(Exception):
    """The server's answer to a request that it does not accept, in its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def is_busy(error: BaseException) -> bool:
    return isinstance(error, Refused) and error.status == TOO_MANY_REQUESTS


@dataclass(frozen=True)
class Resource:
    """One kind of object that the server keeps."""

    group_version: str
    plural: str
    kind: str
    namespaced: bool
    listed: bool

    def path(self, namespace: str = "") -> str:
        root = "/api/" if "/" not in self.group_version else "/apis/"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{self.group_version}{scope}/{self.plural}"


@dataclass(frozen=True)
class Api:
    """The API server at an address, for one user."""

    address: str
    token: str
    ca_file: Path
    _known: dict[str, list[Resource]] = field(default_factory=dict)

    @retry(retry=retry_if_exception(is_busy), wait=wait_fixed(0.5), stop=stop_after_delay(60), reraise=True)
    def request(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Any:
        """The server's answer; one that is busy is asked again.

        Raises:
            Refused: it answered with an error.
            URLError: it did not answer.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": kind,
            "Accept": "application/json",
        }
        request = Request(self.address + path, content, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS, context=context) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise Refused(error.code, message_of(error.read())) from None

    def create(self, body: Object, namespace: str = "") -> Object:
        created: Object = self.request("POST", self._resource(body).path(namespace), body)
        return created

    def delete(self, body: Object, namespace: str = "") -> None:
        self.request("DELETE", f"{self._resource(body).path(namespace)}/{body['metadata']['name']}")

    def lists(self, group_version: str, kind: str) -> bool:
        """Whether the server says that it has the kind."""
        try:
            return kind in [each.kind for each in self._resources(group_version)]
        except Refused:
            return False

    def serves(self, group_version: str, kind: str) -> bool:
        """Whether objects of the kind can be listed by now."""
        try:
            found = self._resource({"apiVersion": group_version, "kind": kind})
            return "items" in self.request("GET", found.path())
        except Refused:
            return False

    def check(self, body: Object, namespace: str) -> None:
        """Has the server check the object as if it were applied; unknown and doubled fields are errors.

        Raises:
            Refused: the server does not accept it.
        """
        path = f"{self._resource(body).path(namespace)}/{body['metadata']['name']}"
        query = "dryRun=All&fieldValidation=Strict&force=true&fieldManager=check"
        self.request("PATCH", f"{path}?{query}", body, APPLY)

    def names(self) -> set[str]:
        """Every object that the server keeps, as `<kind> <namespace>/<name>`, but for events."""
        versions = [
            group["preferredVersion"]["groupVersion"] for group in self.request("GET", "/apis")["groups"]
        ]
        kinds = {
            each.kind: each
            for version in ["v1", *versions]
            for each in self._resources(version)
            if each.listed
        }
        kinds.pop("Event")
        return {name for each in kinds.values() for name in self._names(each)}

    def _names(self, resource: Resource) -> Iterator[str]:
        try:
            listed = self.request("GET", resource.path())["items"]
        except Refused as refused:
            if refused.status == NOT_FOUND:  # it was undefined since the server last said what it has
                return
            raise
        for each in listed:
            yield f"{resource.kind} {each['metadata'].get('namespace', '')}/{each['metadata']['name']}"

    def _resource(self, body: Object) -> Resource:
        for fresh in (False, True):
            for each in self._resources(body["apiVersion"], fresh):
                if each.kind == body["kind"]:
                    return each
        raise Refused(NOT_FOUND, f"the server has no {body['apiVersion']}/{body['kind']}")

    def _resources(self, group_version: str, fresh: bool = True) -> list[Resource]:
        if fresh or group_version not in self._known:
            root = "/apis/" if "/" in group_version else "/api/"
            listed = self.request("GET", root + group_version)["resources"]
            self._known[group_version] = [
                Resource(
                    group_version, each["name"], each["kind"], each["namespaced"], "list" in each["verbs"]
                )
                for each in listed
                if "/" not in each["name"]
            ]
        return self._known[group_version]


def message_of(answer: bytes) -> str:
    """What an error's body says; the server writes plain text where it knows no such path."""
    try:
        return str(json.loads(answer)["message"])
    except ValueError:
        return answer.decode()
