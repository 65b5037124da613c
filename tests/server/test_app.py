"""The page's files over HTTP."""

import re
import shutil
from pathlib import Path

import httpx

from tests.server.ingress.application import application
from vision_agent.resources import web_folder
from vision_agent.server.page_files import PageFiles

LINK = re.compile(r'(?:href|src)="([^"#:]+)"')


async def test_browsers_ask_for_the_page_again_and_get_only_what_has_changed():
    async with application() as client, client() as http:
        for path in ("/", "/page.js", "/call/call.js", "/view/style.css"):
            first = await http.get(path)
            assert first.status_code == 200
            assert first.headers["cache-control"] == "no-cache"
            again = await http.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert again.status_code == 304
            assert again.content == b""
            assert again.headers["cache-control"] == "no-cache"
            assert again.headers["x-content-type-options"] == "nosniff"


async def test_what_the_page_links_is_kept_by_browsers_and_is_the_same_as_elsewhere():
    async with application() as client, client() as http:
        links = LINK.findall((await http.get("/")).text)
        assert len(links) > 5
        for link in links:
            versioned = await http.get(f"/{link}")
            assert versioned.headers["cache-control"] == "max-age=31536000, immutable"
            version, _, path = link.partition("/")
            unversioned = await http.get(f"/{path}")
            assert versioned.content == unversioned.content
            assert versioned.headers["content-type"] == unversioned.headers["content-type"]
            head = await http.head(f"/{link}")
            assert head.headers["cache-control"] == versioned.headers["cache-control"]
            assert head.headers["content-length"] == versioned.headers["content-length"]
            # A path with another version is served too, but browsers ask for it again.
            other = await http.get(f"/version-{'0' * 16}/{path}")
            assert other.content == versioned.content
            assert other.headers["cache-control"] == "no-cache"
        assert {link.partition("/")[0] for link in links} == {version}
        for nothing in ("nothing.js", "index.html", "../vision_agent/version.py", "view/"):
            assert (await http.get(f"/{version}/{nothing}")).status_code == 404


async def test_a_changed_module_is_loaded_at_the_next_visit(tmp_path: Path):
    folder = shutil.copytree(web_folder(), tmp_path / "web")
    transport = httpx.ASGITransport(app=PageFiles(folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:

        async def linked() -> list[str]:
            return LINK.findall((await http.get("/")).text)

        before = await linked()
        assert await linked() == before
        changed = folder / "view" / "clock.js"
        changed.write_text(f"{changed.read_text()}// another version\n")
        after = await linked()
        assert not set(after) & set(before)
        old, new = [await http.get(f"/{links[-1]}") for links in (before, after)]
        assert old.headers["cache-control"] == "no-cache"
        assert new.headers["cache-control"] == "max-age=31536000, immutable"
