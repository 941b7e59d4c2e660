#!/usr/bin/python3 -B
"""vgpu-doctor explain, and the commands of the pages that it shows: the shell takes them, the
programs are ones that there are, and vgpu-doctor has the options."""

import glob
import json
import os
import re
import shlex
import subprocess
import unittest

import doctor_testing as testing

PAGES = "diag/runbooks"

# What a page may tell its reader to run. A word that is not here is a slip of the pen, or a
# program that needs a line here.
PROGRAMS = set("""
    apt ausearch awk cat cd chmod cmp coredumpctl cp curl df dirname dkms dmesg docker dpkg echo env
    file find findmnt for getcap gpasswd grep head id install journalctl kill ldconfig ldd ln ls
    lsof lspci mkdir modinfo modprobe mount mv namei nix-store nixos-rebuild nm nsenter nvidia-ctk
    nvidia-modprobe nvidia-smi objdump od ollama ostree pgrep printf ps python3 readelf readlink
    reboot restorecon rm rmmod rpm-ostree sed setcap sh snap sort ss stat strings sudoedit systemctl
    systemd-analyze systemd-detect-virt tail tar tee touch tr ubuntu-drivers uniq usermod
    vgpu-doctor vgpu-run xargs
    """.split())
VERBS = set("""
    cat daemon-reload disable edit enable import-environment is-active list-unit-files mask
    reset-failed restart revert set-environment show show-environment start status stop unmask
    unset-environment
    """.split())
OPERATORS = {"|", "||", "&&", ";", "&", "(", "{", "|&", ";;"}
KEYWORDS = {"do", "then", "else", "elif", "if", "while", "until", "!", "time"}
CLOSING = {"done", "fi", "}", ">"}
# The directory of the shims: /usr/lib/TRIPLET/vgpu of the package, or wherever they were put.
FIND_SHIMS = "V=$(dirname \"$(find /usr /opt -name 'libvgpu-*.so' -print -quit)\")"
# Pages whose commands name a place on purpose: that of the list, and a new one.
OWN_PLACE = {"VG401.md", "VG402.md"}
LANGUAGES = {"console", "sh", "ini", "text"}


def sources():
    files = sorted(glob.glob(f"{PAGES}/VG*.md") + glob.glob(f"{PAGES}/guides/*.md"))
    for path in files:
        with open(path, encoding="utf-8") as file:
            yield path, file.read()


def fences(text):
    """Language and lines of every fence."""
    language, lines = None, []
    for line in text.splitlines():
        mark = re.match(r"\s*```(.*)$", line)
        if not mark:
            lines.append(line)
        elif language is None:
            language, lines = mark.group(1), []
        else:
            yield language, lines
            language = None


def commands(text):
    """Every command that a page shows. In a console, a line with a prompt is one, as long as
    the shell would go on reading; in an sh fence, the whole of it."""
    for language, lines in fences(text):
        if language == "sh":
            yield "\n".join(lines)
        if language != "console":
            continue
        lines = [line.strip() if line.strip().startswith(("$ ", "# ")) else line
                 for line in lines]
        while lines:
            line = lines.pop(0)
            if not line.startswith(("$ ", "# ")):
                continue
            command = line[2:]
            here = re.search(r"<<-?'?(\w+)'?", command)
            while lines and (command.endswith("\\") or lines[0].startswith("> ") or
                             here and command.splitlines()[-1] != here.group(1)):
                command += "\n" + lines.pop(0).removeprefix("> ")
            yield command


def prose(text):
    """The text without its fences, on one line."""
    return " ".join(re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S).split())


def inline(text):
    """Commands that stand in a sentence, as code."""
    return re.findall(r"(?<!`)`((?:sudo|systemctl|journalctl|vgpu-doctor|vgpu-run) [^`]+)`(?!`)",
                      prose(text))


def words(command):
    """The simple commands of a command, each as its words."""
    command = re.sub(r"<<-?'?(\w+)'?\n.*?\n\1$", "", command, flags=re.M | re.S)
    command = command.replace("\\\n", " ").replace("\n", " ; ")
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    simple = []
    for word in lexer:
        if word in OPERATORS or set(word) <= set("();|&") or word in KEYWORDS and not simple:
            if simple:
                yield simple
            simple = []
        else:
            simple.append(word)
    if simple:
        yield simple


def program(simple):
    """The words from the program's name on: what is set for it, and sudo, are left out."""
    while simple:
        if re.match(r"\w+=", simple[0]):
            simple = simple[1:]
        elif simple[0] == "sudo":
            simple = simple[1:]
            while simple and simple[0].startswith("-"):
                simple = simple[2:] if simple[0] in ("-u", "-g") else simple[1:]
        else:
            return simple
    return simple


class Explain(unittest.TestCase):
    def explain(self, *arguments):
        outcome = testing.doctor("explain", *arguments)
        self.assertEqual((outcome.status, outcome.err), (0, b""), arguments)
        return outcome.out.decode()

    def test_a_page_is_found_by_its_code_and_by_its_name(self):
        page = self.explain("VG302")
        self.assertTrue(page.startswith("VG302 service-started-before-config: "), page)
        self.assertEqual(self.explain("vg302"), page)
        self.assertEqual(self.explain("service-started-before-config"), page)

    def test_every_cause_that_a_report_can_name_has_its_page(self):
        causes = json.loads(testing.doctor("list-causes", "--format", "json").out)["causes"]
        self.assertGreater(len(causes), 80)
        for cause in causes:
            title = f"# {cause['code']} {cause['id']}: {cause['title']}\n"
            page = self.explain(cause["id"], "--format", "markdown")
            self.assertTrue(page.startswith(title), cause)
            self.assertEqual(self.explain(cause["code"], "--format", "markdown"), page)

    def test_commands_find_the_shims_wherever_they_are(self):
        finding = 0
        for path, text in sources():
            for section in text.split("\n## "):
                known = False
                for command in commands(section):
                    if os.path.basename(path) not in OWN_PLACE:
                        self.assertNotIn("/usr/lib/vgpu", command, path)
                    for line in command.splitlines():
                        known = known or line == FIND_SHIMS
                        self.assertTrue(known or not re.search(r"\$\{?V\b", line), f"{path}: {line}")
                        finding += line == FIND_SHIMS
        self.assertGreater(finding, 20)

    def test_as_markdown_it_is_the_source(self):
        with open(f"{PAGES}/VG302.md", encoding="utf-8") as file:
            self.assertEqual(self.explain("VG302", "--format", "markdown"), file.read())

    def test_prose_fits_a_terminal_and_has_no_marks_left(self):
        for path, text in sources():
            shown = self.explain(os.path.basename(path).removesuffix(".md"))
            fenced = {line.strip() for _, lines in fences(text) for line in lines}
            for line in shown.splitlines():
                if line.strip() in fenced:
                    continue
                word = max(line.split(), key=len, default="")
                self.assertTrue(len(line) <= 80 or len(word) > 60, (path, line))
                self.assertNotIn("```", line, path)
                self.assertNotRegex(line, r"\]\(\S+\.md\)", path)

    def test_a_terminal_that_shows_ascii_gets_ascii(self):
        outcome = testing.doctor("explain", "VG302", environment={"LC_ALL": "C"})
        self.assertEqual(outcome.status, 0)
        self.assertTrue(outcome.out.isascii())
        self.assertIn("…", self.explain("VG302"))

    def test_all_as_one_document(self):
        document = self.explain("--all", "--format", "markdown")
        for path, text in sources():
            name = os.path.basename(path).removesuffix(".md")
            self.assertEqual(document.count(f'<a id="{name}"></a>'), 1, name)
            self.assertIn(text.splitlines()[0], document)
        text = self.explain("--all")
        self.assertIn("VG302 service-started-before-config", text)
        self.assertNotIn("<a id", text)

    def test_without_a_word_it_asks_for_the_symptom_and_each_answer_works(self):
        text = self.explain()
        guides = re.findall(r"`vgpu-doctor explain ([a-z0-9-]+)`", text)
        self.assertEqual(sorted(guides), sorted(
            os.path.basename(path).removesuffix(".md") for path in glob.glob(f"{PAGES}/guides/*.md")))
        for guide in guides:
            self.assertIn("VG", self.explain(guide))

    def test_what_is_not_there_is_refused(self):
        for arguments in (["VG999"], ["vg 999"], ["nonsense"], ["VG302", "VG303"],
                          ["library-cpu", "302"], ["--all", "VG302"], ["xyzzy", "wombat"],
                          ["VG302", "--format", "json"], ["\x1b[31mred"]):
            outcome = testing.doctor("explain", *arguments)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), arguments)
            self.assertNotIn(b"\x1b", outcome.err)
        self.assertIn(b"list-causes", testing.doctor("explain", "VG999").err)
        # A script's unset variable: which guides there are.
        self.assertEqual(self.explain(""), self.explain())

    def test_a_code_may_be_its_number(self):
        page = self.explain("VG302")
        for form in (["302"], ["vg302"], ["Vg", "302"], ["vg-302"]):
            self.assertEqual(self.explain(*form), page, form)

    def test_a_name_may_be_typed_as_words(self):
        page = self.explain("library-cpu")
        for form in (["library=cpu"], ["library", "cpu"], ["Library CPU"]):
            self.assertEqual(self.explain(*form), page, form)
        self.assertEqual(self.explain("service started before config"), self.explain("VG302"))

    def test_the_beginning_of_a_code_lists_the_codes(self):
        titles = {cause["code"]: cause["title"] for cause in json.loads(
            testing.doctor("list-causes", "--format", "json").out)["causes"]}
        for form, beginning in (("VG30", "VG30"), ("vg30", "VG30"), ("30", "VG30"), ("VG7", "VG7")):
            listed = self.listed(form)
            self.assertEqual(list(listed), [code for code in titles if code.startswith(beginning)])
            for code, title in listed.items():
                self.assertEqual(title, titles[code])

    def listed(self, *words):
        """The pages that a list names, in its order, and their titles."""
        text = " ".join(self.explain(*words, "--format", "markdown").split("\n"))
        return dict(re.findall(r" - ([\w-]+): (.*?)(?=  | - )", text))

    def test_words_list_the_pages_that_have_them(self):
        for words, expected, within in (
                (["cpu"], "library-cpu", 2), (["restart"], "restart-loop", 1),
                (["nixos"], "shell-not-service", 1), (["preload"], "VG401", 8), (["Timeout"], "VG701", 1),
                (["undefined", "symbol"], "VG406", 8), (["226"], "VG209", 4),
                (["the service restarts all the time"], "restart-loop", 1),
                (["Driver/library version mismatch"], "VG606", 1)):
            listed = list(self.listed(*words))
            self.assertIn(expected, listed[:within], words)
            self.assertLessEqual(len(listed), 8, words)
            # What is named can be asked for.
            for name in listed[:2]:
                self.assertIn("VG", self.explain(name))
            self.assertIn(f"`vgpu-doctor explain {listed[0]}`", self.explain(*words))

    def test_a_slip_in_a_name_is_that_name_and_nothing_to_look_for(self):
        outcome = testing.doctor("explain", "preload-entry-mising")
        self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
        self.assertIn(b"did you mean preload-entry-missing?", outcome.err)

    def test_a_report_links_every_cause_in_it_to_its_page(self):
        root = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
        report, _ = testing.check_json("--root", root)
        items = [item for part in ("root_causes", "consequences", "latent", "notes")
                 for item in report[part]]
        self.assertGreater(len(items), 1)
        for item in items:
            self.assertEqual(item["runbook"], f"vgpu-doctor explain {item['code']}")
        text = testing.doctor("check", "--root", root).out.decode()
        self.assertIn("vgpu-doctor explain VG302", text)


class Commands(unittest.TestCase):
    def test_fences_are_of_a_known_kind(self):
        for path, text in sources():
            for language, _ in fences(text):
                self.assertIn(language, LANGUAGES, path)

    def test_the_shell_takes_every_command(self):
        count = 0
        for path, text in sources():
            for command in [*commands(text), *inline(text)]:
                count += 1
                done = subprocess.run(["bash", "-n"], input=command.encode(), check=False,
                                      capture_output=True)
                self.assertEqual((done.returncode, done.stderr), (0, b""), (path, command))
        self.assertGreater(count, 100)

    def test_every_console_shows_a_command(self):
        for path, text in sources():
            for language, lines in fences(text):
                if language == "console":
                    self.assertTrue(any(re.match(r"\s*[$#] ", line) for line in lines),
                                    (path, lines))

    def test_root_is_to_open_no_redirection(self):
        """The caller's shell opens the file, and not what sudo starts."""
        for path, text in sources():
            for command in [*commands(text), *inline(text)]:
                bare = re.sub(r"'[^']*'|\"[^\"]*\"|\d?>&\d|\d?> ?/dev/null|<<-?\w*", "", command)
                for part in re.split(r"[|;&\n]+", bare):
                    if part.strip().removeprefix("$ ").startswith("sudo "):
                        self.assertNotRegex(part, "[<>]", (path, command))

    def test_they_run_programs_that_there_are(self):
        for path, text in sources():
            shown = [*commands(text), *inline(text)]
            for simple in (simple for command in shown for simple in words(command)):
                simple = program(simple)
                if not simple or simple[0].startswith(("/", "./")) or simple[0] in CLOSING:
                    continue
                self.assertIn(simple[0], PROGRAMS, (path, simple))
                if simple[0] == "systemctl":
                    verb = next(word for word in simple[1:] if not word.startswith("-"))
                    self.assertIn(verb, VERBS, (path, simple))

    def test_vgpu_doctor_has_what_they_ask_of_it(self):
        known = {}
        for path, text in sources():
            shown = [*commands(text), *inline(text)]
            for simple in (program(simple) for command in shown for simple in words(command)):
                if not simple or simple[0] != "vgpu-doctor" or simple[1] == "CODE":
                    continue
                if simple[1] not in known:
                    known[simple[1]] = testing.doctor(simple[1], "--help")
                self.assertEqual(known[simple[1]].status, 0, (path, simple))
                for word in simple[2:]:
                    if word.startswith("--"):
                        self.assertRegex(known[simple[1]].out.decode(), rf"{word}\b", (path, simple))


if __name__ == "__main__":
    testing.run()
