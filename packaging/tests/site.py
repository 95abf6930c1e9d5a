"""The documentation as a site: every page is in it, every link leads somewhere, and nothing comes from another host."""

import html.parser
import pathlib
import urllib.parse

import project
from tests.expect import holds, ran


class Links(html.parser.HTMLParser):
    """What a page links, what it loads, and the names of its places."""

    def __init__(self, page):
        super().__init__()
        self.links, self.loaded, self.places = [], [], set()
        self.feed(page.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places.add(attributes.get("id"))
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        self.loaded += [attributes[name] for name in ("src", "href") if tag in ("script", "link", "img") and attributes.get(name)]


def site(work):
    out = work / "site"
    ran(project.ROOT / "packaging/site", work / "venv/bin/mdbook", out)
    pages = {page: Links(page) for page in out.rglob("*.html")}
    sources = project.ROOT / "docs"
    made = {page.relative_to(sources).with_suffix(".html") for page in sources.rglob("*.md")} - {pathlib.Path("SUMMARY.html")}
    holds("every page is in the site", made <= {page.relative_to(out) for page in pages}, made)
    # The page for what is not found, and the one for print, stand for others.
    for page, found in pages.items():
        foreign = [what for what in found.loaded if urllib.parse.urlsplit(what).netloc]
        holds(f"{page.name} loads nothing from another host", not foreign, foreign)
        if page.name not in ("404.html", "print.html"):
            wrong = [link for link in found.links if not leads(page, link, pages)]
            holds(f"every link of {page.name} leads somewhere", not wrong, wrong)
    holds("it can be searched", any(out.glob("searchindex*.js")), sorted(out.iterdir()))


def leads(page, link, pages):
    parts = urllib.parse.urlsplit(link)
    if parts.netloc or parts.scheme:
        return parts.scheme in ("https", "http", "mailto")
    target = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
    known = {path.resolve(): found for path, found in pages.items()}.get(target.resolve())
    return target.exists() and (not parts.fragment or known is None or urllib.parse.unquote(parts.fragment) in known.places)
