#!/usr/bin/python3 -B
"""The HTML report as a real browser shows it: light, dark, on a narrow screen and printed. The
pictures go to the test's outputs, for people to look at."""

import glob
import os
import subprocess
import sys
import unittest

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("tools/testing"))
import browser

OUTPUTS = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
SCREENS = (("light", "screen", 1280), ("dark", "screen", 1280), ("light", "screen", 360),
           ("dark", "print", 720))

# Of each element that has text of its own: the contrast to what is behind it (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const light = color => {
    const parts = color.match(/[\\d.]+/g).map(Number);
    const [r, g, b] = parts.slice(0, 3).map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    if (element.closest('svg')) {
      return getComputedStyle(element.parentElement.querySelector('rect')).fill;
    }
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (color !== 'rgba(0, 0, 0, 0)') return color;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *, .finding text')) {
    if (!['text', ...'P H1 H2 H3 LI DT DD DIV PRE CODE SPAN A STRONG TIME FOOTER SUMMARY'.split(' ')]
        .includes(element.tagName)) continue;
    if (![...element.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(element.tagName === 'text' ? style.fill : style.color),
                    light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(element.tagName + ' ' + element.className + ' ' + ratio.toFixed(2));
  }
  return [...new Set(poor)];
})()"""

# Text of the picture that stands out of its box.
OUTSIDE = """[...document.querySelectorAll('.finding')].flatMap(finding => {
  const box = finding.querySelector('rect').getBBox();
  return [...finding.querySelectorAll('text')].filter(text => {
    const t = text.getBBox();
    return t.x < box.x || t.x + t.width > box.x + box.width || t.y < box.y ||
        t.y + t.height > box.y + box.height;
  }).map(text => text.textContent);
})"""

DEAD_LINKS = """[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))
    .filter(href => !href.startsWith('#') || !document.getElementById(href.slice(1)))"""

TWICE = """(() => {
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  return ids.filter((id, i) => ids.indexOf(id) !== i);
})()"""


def program():
    """The browser; raises SkipTest where there is none."""
    return os.path.realpath(f"{testing.client('browser')}/browser")


class InABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = {}
        for path in sorted(glob.glob("diag/report/testdata/*.html")):
            cls.pages[os.path.basename(path).removesuffix(".html")] = os.path.realpath(path)
        for root in sorted(glob.glob(f"{testing.INCIDENTS}/*/host")):
            name = root.split("/")[-2]
            cls.pages[name] = f"{testing.temporary()}/{name}.html"
            testing.doctor("check", "--root", root, "--format", "html", "--output",
                           cls.pages[name])

    def open(self, it, name, scheme, media, width):
        page = it.open(f"file://{self.pages[name]}", width=width, scheme=scheme, media=media)
        if OUTPUTS:
            page.screenshot(f"{OUTPUTS}/{name}.{scheme}.{media}.{width}.png")
        return page

    def test_it_is_whole_and_quiet_on_every_screen(self):
        self.assertGreater(len(self.pages), 15)
        with browser.Browser(program()) as it:
            for name, path in self.pages.items():
                for screen in SCREENS:
                    with self.subTest(name, screen=screen):
                        page = self.open(it, name, *screen)
                        self.assertEqual(page.complaints, [])
                        self.assertEqual(page.requests, [f"file://{path}"])
                        self.assertLessEqual(
                            page.evaluate("document.documentElement.scrollWidth"), screen[2])
                        self.assertEqual(page.evaluate(CONTRAST), [])
                        self.assertEqual(page.evaluate(OUTSIDE), [])
                        self.assertEqual(page.evaluate(DEAD_LINKS), [])
                        self.assertEqual(page.evaluate(TWICE), [])

    def test_it_follows_the_readers_choice_and_prints_dark_on_light(self):
        with browser.Browser(program()) as it:
            colors = [self.open(it, "not-restarted", *screen).evaluate(
                "getComputedStyle(document.body).backgroundColor") for screen in SCREENS]
        self.assertEqual(colors, ["rgb(246, 247, 249)", "rgb(13, 17, 23)", "rgb(246, 247, 249)",
                                  "rgb(255, 255, 255)"])

    def test_what_is_folded_away_is_printed(self):
        height = "document.querySelector('details li').checkVisibility({contentVisibilityAuto: " \
                 "true}) && document.querySelector('details li').getBoundingClientRect().height"
        with browser.Browser(program()) as it:
            self.assertFalse(self.open(it, "not-restarted", *SCREENS[0]).evaluate(height))
            page = self.open(it, "not-restarted", *SCREENS[3])
            self.assertGreater(page.evaluate(height), 10)
            self.assertTrue(page.pdf().startswith(b"%PDF-"))

    def test_the_way_from_cause_to_symptom_is_drawn(self):
        with browser.Browser(program()) as it:
            page = self.open(it, "wrapper-loads-copies-crash-loop", *SCREENS[0])
            self.assertEqual(page.evaluate(
                "[...document.querySelectorAll('.finding .code')].map(e => e.textContent)"),
                ["VG207", "VG307", "VG410"])
            self.assertEqual(page.evaluate("document.querySelectorAll('.arrow').length"), 2)

    def test_a_log_that_holds_a_page_changes_nothing(self):
        evil = ("time=2026-02-24T09:41:09.118-05:00 level=INFO source=types.go:60 "
                'msg="inference compute" id=cpu library=cpu compute="" driver=0.0 '
                'name="<script>document.title=1</script><img src=http://127.0.0.1:9/x '
                'onerror=document.title=2></pre><style>*{display:none}</style>"\n')
        log = testing.write(testing.temporary(), "evil.log", evil)
        self.pages["evil"] = f"{testing.temporary()}/evil.html"
        testing.doctor("check", "--log", log, "--format", "html", "--output", self.pages["evil"])
        with browser.Browser(program()) as it:
            page = self.open(it, "evil", *SCREENS[0])
            self.assertIn("<script>document.title=1</script>",
                          page.evaluate("document.body.textContent"))
            self.assertEqual(page.evaluate("document.scripts.length + document.images.length"), 0)
            self.assertEqual(page.evaluate("document.styleSheets.length"), 1)
            self.assertEqual((page.complaints, page.requests),
                             ([], [f"file://{self.pages['evil']}"]))


if __name__ == "__main__":
    testing.run()
