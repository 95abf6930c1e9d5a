"""The documentation in a real browser: python3 packaging/tests/browser.py CHROMIUM SITE. The search finds what pages speak of,
and every page is as narrow as a phone.
"""

import functools
import http.server
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

# The width of a phone, in CSS pixels.
PHONE = 390
WIDE = """<pre id="wide">?</pre><script>
async function look(pages) {
  const wide = [];
  for (const page of pages) {
    const frame = Object.assign(document.createElement("iframe"), {src: page, width: %d, height: 800});
    const loaded = new Promise(done => frame.onload = done);
    document.body.append(frame);
    await loaded;
    if (frame.contentDocument.documentElement.scrollWidth > frame.clientWidth) wide.push(page);
    frame.remove();
  }
  document.getElementById("wide").textContent = JSON.stringify(wide);
}
look(%s);
</script>"""


class Files(http.server.SimpleHTTPRequestHandler):
    """The site, without a line for each request."""

    def log_message(self, *_):
        pass


def shown(chromium, address):
    """The page as it is once its scripts have run."""
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--virtual-time-budget=60000"]
        ran = subprocess.run([chromium, *options, "--dump-dom", address], capture_output=True, text=True, timeout=300)
    return ran.stdout


def main():
    chromium, site = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    # Both are parts of other pages.
    pages = sorted(str(page.relative_to(site)) for page in site.rglob("*.html") if page.name not in ("print.html", "toc.html"))
    check = site / "browser-check.html"
    check.write_text(WIDE % (PHONE, json.dumps(pages)))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        [wide] = re.findall(r'<pre id="wide">(.*?)</pre>', shown(chromium, f"{address}/{check.name}"), re.S)
        if wide != "[]":
            sys.exit(f"pages that are wider than a phone: {wide}")
        found = re.search(r"(\d+) search results for", shown(chromium, f"{address}/quick-start.html?search=unsigned"))
        if not found or int(found[1]) == 0:
            sys.exit("the search finds nothing")
    finally:
        check.unlink()
        server.shutdown()
    print(f"{len(pages)} pages are no wider than {PHONE} pixels; the search finds {found[1]} places")


main()
