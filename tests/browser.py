"""Fixtures for tests that look at a page the way a person does, for every test by `conftest.py`.

`page` is a page of its own without a network; it fails the test if its console shows an error.
Where there is no Chromium the test is skipped and says what to install; where CI=true it fails.
"""

import pytest
from chromium import find_chromium, launch
from needs import lacking
from playwright.sync_api import sync_playwright

from autograder.errors import CourseError


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, one for all tests of a process."""
    try:
        find_chromium()
    except CourseError as reason:
        lacking(str(reason))
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A page of 1280x720 in a context of its own, offline; `page.complaints` is what it said."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda m: opened.complaints.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    complaints = list(opened.complaints)
    context.close()
    assert not complaints, f"the page's console says: {complaints}"
