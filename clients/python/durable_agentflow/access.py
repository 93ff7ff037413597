"""Where the API is, and the key for it."""

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from .errors import NoApiKey


@dataclass(frozen=True)
class Access:
    url: str
    key: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the API is on this machine. Proxies of the environment are for other machines."""
        host = httpx.URL(self.url).host
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def locate(
    url: str | None = None, key: str | None = None, env: Mapping[str, str] = os.environ, start: Path | None = None
) -> Access:
    """The address and key: each as it is given, else AGENTFLOW_API_URL and AGENTFLOW_API_KEY, else of the local stack.

    The local stack writes both into `api.json` in its data directory: AGENTFLOW_DATA, or `.agentflow` in the checkout.
    It is looked for in `start` (the working directory) and above, then in the checkout that this package lies in.
    """
    url = url or env.get("AGENTFLOW_API_URL")
    key = key or env.get("AGENTFLOW_API_KEY")
    if not (url and key):
        files = api_files(env.get("AGENTFLOW_DATA") or ".agentflow", start or Path.cwd())
        found = next((api for file in files if (api := read_api_file(file))), None)
        if found is None:
            raise NoApiKey(
                f"There is no API key: no {files[0]}, nor one in a directory above. Start the local stack with "
                '"npm run up", which writes the file, or set AGENTFLOW_API_URL and AGENTFLOW_API_KEY.'
            )
        url, key = url or found.url, key or found.key
    return Access(url.rstrip("/"), key)


def api_files(data: str, start: Path) -> list[Path]:
    here = Path(__file__).resolve()
    roots = [start, *start.parents, *here.parents]
    return list(dict.fromkeys(root / data / "api.json" for root in roots))


def read_api_file(file: Path) -> Access | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Access(str(content["url"]), str(content["key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
