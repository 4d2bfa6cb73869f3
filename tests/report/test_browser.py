"""The page in a browser: headless Chromium, started here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import xarray as xr
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver (Debian: chromium chromium-driver)"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(
    make_run: Callable[..., xr.DataTree],
    render_blank: Callable[[xr.DataTree], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    names = {"unconstrained": {}, "a_condition_with_a_name_that_is_much_too_long_for_a_phone": {}}
    status = ["criterion_reached", "criterion_reached", "criterion_not_reached", "failed"]
    failure = ["", "", "", "ValueError: " + "unbroken" * 30]
    run = make_run(conditions=names, seeds=[2, 10], status=status, failure=failure)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_blank(run), encoding="utf-8")
    return path


@pytest.fixture
def page(chromium: webdriver.Chrome, report: Path) -> webdriver.Chrome:
    """The report, at the size of a desk, in light, with all sections unfolded."""
    for log in ("browser", "performance"):
        chromium.get_log(log)
    emulate(chromium, scheme="light")
    resize(chromium, 1200)
    chromium.get(report.as_uri())
    chromium.find_element(By.CSS_SELECTOR, "nav button").click()
    return chromium


def emulate(chromium: webdriver.Chrome, media: str = "", scheme: str = "light") -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def resize(chromium: webdriver.Chrome, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def luminance(chromium: webdriver.Chrome, element: str, style: str) -> float:
    colour = chromium.execute_script(f"return getComputedStyle(document.querySelector('{element}')).{style}")
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (int(number) / 255 for number in colour.strip("rgb()").split(","))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def header(chromium: webdriver.Chrome, heading: str) -> WebElement:
    (found,) = chromium.find_elements(
        By.XPATH, f"(//section[@id='networks']//table)[last()]//th[button/span[text()='{heading}']]"
    )
    return found


def column(chromium: webdriver.Chrome, position: int) -> list[str]:
    cells = chromium.find_elements(By.CSS_SELECTOR, f"#networks .scroll:last-of-type tbody tr > :nth-child({position})")
    return [cell.text for cell in cells]


def test_nothing_is_logged_and_nothing_is_fetched(page: webdriver.Chrome) -> None:
    assert page.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    fetched = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert [url for url in fetched if not url.startswith("data:")] == [page.current_url]


def test_the_page_never_scrolls_sideways(page: webdriver.Chrome) -> None:
    boxes = page.find_elements(By.CSS_SELECTOR, ".scroll")
    right = "return Math.max(...arguments[0].map(box => box.getBoundingClientRect().right))"
    for width in (320, 360, 700, 1300):
        resize(page, width)
        assert page.execute_script("return window.innerWidth") == width
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.execute_script(right, boxes) <= width, width
        if width < 400:  # what is too wide scrolls in its own box
            assert page.execute_script("return arguments[0].some(box => box.scrollWidth > box.clientWidth)", boxes)


def test_no_table_is_cut_at_the_width_of_a_laptop(page: webdriver.Chrome) -> None:
    resize(page, 1280)
    cut = "return [...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth).length"
    assert page.execute_script(cut) == 0


def test_the_text_of_a_picture_keeps_its_size_on_a_phone(page: webdriver.Chrome) -> None:
    width = "return document.querySelector('#learning img').offsetWidth"
    wide = page.execute_script(width)
    resize(page, 360)
    assert page.execute_script(f"await new Promise(requestAnimationFrame); {width}") == wide


def test_the_answer_is_on_the_first_screen_and_sections_fold(page: webdriver.Chrome, report: Path) -> None:
    page.get("about:blank")
    page.get(report.as_uri())
    assert page.execute_script("return document.querySelector('#answer table').getBoundingClientRect().top") < 700
    is_open = "return [...document.querySelectorAll('details')].map(section => section.open)"
    assert not any(page.execute_script(is_open))
    page.find_element(By.CSS_SELECTOR, "nav a[href='#spectra']").click()
    opened = "return [...document.querySelectorAll('details[open]')].map(section => section.parentElement.id)"
    assert page.execute_script(f"await new Promise(resolve => setTimeout(resolve, 50)); {opened}") == ["spectra"]
    page.get("about:blank")
    page.get(f"{report.as_uri()}#memory")
    assert page.execute_script(opened) == ["memory"]
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert all(page.execute_script(is_open))


def test_dark_surroundings_get_a_dark_page_and_pictures_on_paper(page: webdriver.Chrome) -> None:
    light = luminance(page, "body", "backgroundColor")
    emulate(page, scheme="dark")
    assert light > 0.9 > 0.05 > luminance(page, "body", "backgroundColor")
    assert luminance(page, "figure img", "backgroundColor") > 0.9


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(page: webdriver.Chrome, scheme: str) -> None:
    emulate(page, scheme=scheme)
    paper = luminance(page, "body", "backgroundColor")
    for element in ("body", "caption", ".when", "nav a", "th button", "td.alarm"):
        text = luminance(page, element, "color")
        contrast = (max(text, paper) + 0.05) / (min(text, paper) + 0.05)
        assert contrast >= 4.5, element  # WCAG 2, level AA


def test_a_header_sorts_numbers_as_numbers_both_ways(page: webdriver.Chrome) -> None:
    seed = header(page, "seed")
    assert seed.get_attribute("aria-sort") == "none"
    seed.find_element(By.TAG_NAME, "button").click()
    assert column(page, 3) == ["2", "2", "10", "10"]
    assert seed.get_attribute("aria-sort") == "ascending"
    seed.find_element(By.TAG_NAME, "button").click()
    assert column(page, 3) == ["10", "10", "2", "2"]
    assert seed.get_attribute("aria-sort") == "descending"


def test_what_has_no_number_comes_last_either_way(page: webdriver.Chrome) -> None:
    accuracy = header(page, "accuracy")
    for _ in range(2):
        accuracy.find_element(By.TAG_NAME, "button").click()
        assert [value == "–" for value in column(page, 5)] == [False, False, False, True]


def test_the_keyboard_sorts_too_and_one_column_at_a_time(page: webdriver.Chrome) -> None:
    header(page, "seed").find_element(By.TAG_NAME, "button").click()
    header(page, "network").find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert column(page, 1)[0].startswith("a_condition")
    assert column(page, 1)[2:] == ["unconstrained-s02", "unconstrained-s10"]
    assert header(page, "seed").get_attribute("aria-sort") == "none"


def test_a_picture_is_replaced_by_words_where_it_is_not_seen(page: webdriver.Chrome) -> None:
    pictures = page.find_elements(By.TAG_NAME, "img")
    assert pictures
    assert all(picture.accessible_name for picture in pictures)
    assert all(page.execute_script("return arguments[0].naturalWidth", picture) for picture in pictures)


def test_print_has_no_buttons_and_is_light(page: webdriver.Chrome) -> None:
    emulate(page, media="print", scheme="dark")
    assert luminance(page, "body", "backgroundColor") > 0.9
    assert page.execute_script("return document.querySelector('nav').offsetHeight") == 0
    looks = page.execute_script(
        "return [...document.querySelectorAll('th button')].map("
        "button => [getComputedStyle(button).display, getComputedStyle(button, '::after').content])"
    )
    assert looks
    assert {tuple(look) for look in looks} == {("contents", '""')}
    assert page.execute_script("return getComputedStyle(document.querySelector('figure')).breakInside") == "avoid"
    assert page.execute_script("return getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
