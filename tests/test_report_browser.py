"""The page of `tfpe report` in a real browser, headless Chromium."""

import json
import pathlib
import shutil

import pytest
import report_records as make

from tfpe.lab.page import render_report, write_report
from tfpe.lab.records import write_record

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SMALL = {"block_size": 8, "sub_block_size": 8}
HOW = "apt-get update && apt-get install -y chromium chromium-driver"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A Chromium that logs its requests; else a skip that says how to get one."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip(f"needs Chromium and its driver: {HOW}")
    selenium = pytest.importorskip("selenium.webdriver")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    service = selenium.ChromeService(driver)
    browser = selenium.Chrome(options=options, service=service)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "page.html"
    records = [
        make.training("plain", 0.6),
        make.training("le", 0.4),
        make.training("logistic", 0.5),
        make.training("logistic", 0.45, per_image=True),
        # Stand beside the others in the curve alone, under names that are long.
        *(make.training("iib", 0.3, jpeg=n, cipher_options=SMALL) for n in (75, 90)),
        make.bench(le=1.0, logistic=3.0, shuffle=2.0),
        make.evaluation("le"),
        make.evaluation("logistic"),
        make.curve("logistic", {50: [2.0, 1.0, 3.0], 400: [0.5, 0.25, 1.0]}),
    ]
    path.write_text(render_report(records), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def full_page(tmp_path_factory):
    """The page of the records in this repository, after one that was just trained."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "new").mkdir()
    for cipher in ("plain", "ele"):
        record = make.training(cipher, 0.5)
        record["settings"] |= {"dataset": "digits", "recipe": "tiny"}
        write_record(folder / "new" / f"{cipher}.json", record)
    results = pathlib.Path(__file__).parents[1] / "results"
    write_report(folder / "page.html", [folder / "new", results])
    return (folder / "page.html").as_uri()


def look(browser, page, width=1200, scheme="light"):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page)


def column(browser, number):
    return browser.execute_script(
        "return [...document.querySelectorAll('#scorecard tbody tr')].map("
        "row => row.cells[arguments[0]].textContent.trim())",
        number,
    )


def test_pictures_load_and_nothing_is_requested(browser, page):
    browser.get_log("performance")
    look(browser, page)
    widths = browser.execute_script(
        "return [...document.images].map(image => [image.complete, image.naturalWidth])"
    )
    assert widths == [[True, 32]] * 6
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.curve svg')].map("
        "svg => [svg.querySelectorAll('path').length > 5, svg.clientWidth > 200])"
    )
    assert drawn == [[True, True]] * 2
    events = [
        json.loads(e["message"])["message"] for e in browser.get_log("performance")
    ]
    requests = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert page in requests
    assert {url.partition(":")[0] for url in requests} <= {"file", "data"}
    assert [url for url in requests if url.startswith("file")] == [page]


def test_headers_sort(browser, page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    look(browser, page)
    names = ["plain", "le", "logistic", "logistic, a key for each image", "shuffle"]
    assert column(browser, 0) == names
    buttons = browser.find_elements(By.CSS_SELECTOR, "#scorecard thead button")
    state = "return document.querySelectorAll('#scorecard th[scope=col]')[1].ariaSort"
    assert browser.execute_script(state) == "none"
    buttons[1].click()
    order = [text[:5] for text in column(browser, 1)]
    # Not measured is no number: it stays last, whichever way the column is sorted.
    assert order == ["40.00", "45.00", "50.00", "60.00", "not m"]
    assert browser.execute_script(state) == "ascending"
    buttons[1].send_keys(Keys.ENTER)
    order = [text[:5] for text in column(browser, 1)]
    assert order == ["60.00", "50.00", "45.00", "40.00", "not m"]
    assert browser.execute_script(state) == "descending"
    buttons[0].send_keys(Keys.SPACE)
    assert column(browser, 0) == names
    assert browser.execute_script(state) == "none"


@pytest.mark.parametrize("width", [320, 360, 800])
def test_narrow_screens_scroll_tables_and_not_the_page(browser, page, width):
    look(browser, page, width)
    browser.execute_script(
        "document.querySelectorAll('details').forEach(d => { d.open = true; })"
    )
    page_width, inside, outside = browser.execute_script(
        "const box = document.querySelector('.scroll');"
        "return [document.documentElement.scrollWidth, box.scrollWidth,"
        " box.clientWidth]"
    )
    assert page_width == width
    assert outside < width and (inside > outside or width == 800)


def test_dark_scheme(browser, page):
    from PIL import ImageColor

    def lightness(selector, what):
        colour = browser.execute_script(
            "return getComputedStyle(document.querySelector(arguments[0]))"
            "[arguments[1]]",
            selector,
            what,
        )
        return sum(ImageColor.getrgb(colour)[:3]) / 3

    look(browser, page, scheme="dark")
    assert lightness("body", "backgroundColor") < 60 < 180 < lightness("body", "color")
    # The figures take their text from the page.
    assert lightness(".curve svg text", "fill") > 180
    look(browser, page)
    assert lightness("body", "backgroundColor") > 200 > 100 > lightness("body", "color")
    assert lightness(".curve svg text", "fill") < 100


def test_a_script_from_elsewhere_does_not_run(browser, page):
    look(browser, page)
    browser.execute_script(
        "const script = document.createElement('script');"
        "script.textContent = 'window.foreign = 1'; document.body.append(script);"
    )
    assert browser.execute_script("return window.foreign") is None


WIDTHS = (390, 768, 1280, 1440, 1920, 2560)


def boxes(browser):
    """Of each shown table: whether it is wider than its place, and says so."""
    browser.execute_script(
        "document.querySelectorAll('details').forEach(d => { d.open = true; })"
    )
    # Twice: what the page watches is told after the layout of a frame.
    browser.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => done()));"
    )
    return browser.execute_script(
        "return [...document.querySelectorAll('.scroll')].map(box => ["
        " box.scrollWidth > box.clientWidth,"
        " box.previousElementSibling.matches('.hint') &&"
        " box.previousElementSibling.getBoundingClientRect().height > 0])"
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_no_column_is_cut_off_without_a_word(browser, full_page, width):
    look(browser, full_page, width)
    assert all(wider == told for wider, told in boxes(browser))
    # The scorecard, its last column the most telling, is whole on every desk.
    assert width < 1280 or boxes(browser)[0] == [False, False]
    cut = browser.execute_script(
        "const all = document.querySelectorAll('td, th, .curve, dd, figcaption');"
        "return [...all].filter("
        " e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim())"
    )
    assert cut == []
    assert (
        browser.execute_script("return document.documentElement.scrollWidth") == width
    )


def test_names_stay_in_sight_on_a_phone(browser, full_page):
    look(browser, full_page, 390)
    left, width = browser.execute_script(
        "const box = document.querySelector('#scorecard .scroll');"
        "box.scrollLeft = 300; const name = box.querySelector('tbody th');"
        "return [name.getBoundingClientRect().left - box.getBoundingClientRect().left,"
        " name.offsetWidth]"
    )
    assert 0 <= left <= 2 and width < 150


@pytest.mark.parametrize("records", ["page", "full_page"])
@pytest.mark.parametrize("width", [390, 1280])
def test_labels_of_axes_are_whole(browser, records, width, request):
    look(browser, request.getfixturevalue(records), width)
    out = browser.execute_script(
        "return [...document.querySelectorAll('.curve svg')].flatMap(svg => {"
        " const all = svg.parentElement.parentElement.getBoundingClientRect();"
        " return [...svg.querySelectorAll('text')].filter(text => {"
        "  const box = text.getBoundingClientRect();"
        "  return box.left < all.left || box.right > all.right || box.top < all.top"
        "   || box.bottom > all.bottom; }).map(text => text.textContent); })"
    )
    assert out == []
