"""The page's files over HTTP."""

from tests.server.ingress.application import application


async def test_browsers_ask_for_every_file_of_the_page_again_and_get_only_what_has_changed():
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
