#!/usr/bin/python3 -B
"""entry_points.inc has every function of the installed libc through which a path can go, the
shim exports those that it says are redirected or refused, and no others.

Which functions those are is derived: from what libc exports, and from the names that its
headers give to parameters. A function that is new, or a parameter whose name does not say whether
it is a path, fails here until something is decided about it.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

TABLE = pathlib.Path("shims/syscall/entry_points.inc")
EXPORTS = pathlib.Path("shims/syscall/exports.lds")
SHIM = "shims/syscall/libvgpu-syscall.so"

# Names of parameters, as glibc's headers have them (2.36). They hold a path in every function
# but those below.
PATHS = set("""
    __cat_name __dir __dirname __file __filename __from_pathname __new __old __path __pathname
    __special __special_file __to_pathname __wtmp_file __wtmpx_file
""".split())

# A path in some functions, and another text in others: which ones is told here.
MIXED = {
    "": "glob glob64",
    "__from": "link linkat symlink symlinkat",
    "__name": """access acct canonicalize_file_name eaccess euidaccess getxattr inotify_add_watch
        name_to_handle_at opendir realpath unlink unlinkat""",
    "__pattern": "glob glob64",
    "__to": "link linkat symlink symlinkat",
    "__words": "wordexp",
}

# Texts that are no path of a file, whatever the function.
OTHERS = set("""
    __accept __action __assertion __arg __argz __asc __buf __cmd __codeset __command __cp
    __dbname __delim __domain __domainname __entry __envz __envz2 __f __fmt __fname __format
    __fromcode __fs_name __fstype __function __haystack __host __hostname __ident __ifname __key
    __label __line __locale __locuser __mode __modes __msg_ptr __msgid __msgid1 __msgid2
    __needle __netgroup __nptr __opt __pass __pfx __prompt __property __proto __reject __remuser
    __response __rhost __s __s1 __s2 __service __shortopts __src __str __String __string
    __string1 __string2 __tag __text __tocode __tty __user __ut_host __ut_line __ut_name __value
    __version __with
""".split())

# Parameters with such a name, but another meaning.
NO_PATH = {
    "__assert": "the name of a file of sources", "__assert_fail": "the same",
    "__assert_perror_fail": "the same",
    "basename": "text alone is looked at",
}

# Takes the vector of its paths, or gives a path back, or takes what is not declared as a path.
UNNAMED = {"fts_open", "fts64_open", "getcwd", "getwd", "get_current_dir_name", "syscall"}

# Names of the headers of libc6-dev that cannot be included by themselves.
NOT_ALONE = {"gnu/lib-names-64.h", "regexp.h", "sys/elf.h", "sys/vm86.h"}


def table():
    text = re.sub(r"//.*", "", TABLE.read_text())
    found = re.findall(r'VGPU_ENTRY_POINT\((\w+), (\w+),\s*((?:"[^"]*"\s*)+)\)', text)
    assert len(found) == text.count("VGPU_ENTRY_POINT("), "a line of the table is not understood"
    return [(decision, name, "".join(re.findall('"([^"]*)"', why)))
            for decision, name, why in found]


def exported(library):
    """Functions that programs can be linked with, by name."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    symbols = (line.split()[1:] for line in lines)
    return {name.split("@")[0] for kind, name in symbols
            if kind in "TWi" and "GLIBC_PRIVATE" not in name}


def libc():
    maps = pathlib.Path("/proc/self/maps").read_text()
    return re.search(r"\S+/libc\.so\.6", maps)[0]


def headers():
    """Those of the C library, as they are included."""
    listed = subprocess.run(["dpkg", "-L", "libc6-dev"], capture_output=True, text=True)
    return sorted({
        re.sub(r"^/usr/include/([a-z0-9_]+-linux-gnu[a-z0-9]*/)?", "", path)
        for path in listed.stdout.splitlines()
        if path.endswith(".h") and path.startswith("/usr/include") and "/bits/" not in path
    } - NOT_ALONE)


def declarations(header):
    """(name, parameters) of the functions that a header declares."""
    done = subprocess.run(["gcc", "-E", "-P", "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-xc", "-"],
                          input=f"#include <{header}>\n", capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{header} cannot be read: {done.stderr[-300:]}")
    text = re.sub(r"\s+", " ", done.stdout)
    text = re.sub(r"__attribute__ ?\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)", "", text)
    return re.findall(r"[ *](\w+) ?\(((?:[^(){};]|\((?:[^(){};]|\([^()]*\))*\))*)\)", text)


def family(name):
    """What a function is a variant of: "__openat64_2" of "openat", "__lxstat" of "lstat"."""
    name = re.sub(r"^_+(IO_)?", "", name)
    name = re.sub(r"_chk$|_2$", "", name)
    name = re.sub(r"64(_time64)?$|_time64$", "", name)
    return re.sub(r"^([lf]?)x(stat|mknod)", r"\1\2", name)


class EntryPointsTest(unittest.TestCase):
    def test_the_table_is_in_order_and_gives_reasons(self):
        rows = table()
        self.assertGreater(len(rows), 100)
        names = [name for _, name, _ in rows]
        self.assertEqual(names, sorted(set(names)))
        for decision, name, why in rows:
            self.assertIn(decision, ("Redirected", "Refused", "Left"), name)
            self.assertEqual(bool(why), decision == "Left", f"{name}: {why}")

    def test_what_the_table_says_is_exported_and_nothing_else(self):
        wanted = {name for decision, name, _ in table() if decision != "Left"}
        self.assertEqual(set(re.findall(r"^    (\w+);$", EXPORTS.read_text(), re.M)), wanted)
        self.assertEqual(exported(SHIM), wanted)

    def test_the_libc_has_what_is_in_the_table(self):
        missing = {name for _, name, _ in table()} - exported(libc())
        self.assertEqual(missing, set())

    def test_every_function_of_the_libc_is_decided_on(self):
        for tool in ("gcc", "dpkg"):
            if shutil.which(tool) is None:
                self.skipTest(f"{tool} is not installed: libc's headers cannot be listed and read")
        included = headers()
        if not included:
            self.skipTest("libc6-dev is not installed: there are no headers to compare with")
        self.assertGreater(len(included), 100)
        functions = exported(libc())
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            declared = {name: parameters for found in pool.map(declarations, included)
                        for name, parameters in found if name in functions}
        self.assertGreater(len(declared), 1000)

        by_name = collections.defaultdict(set)
        for name, parameters in declared.items():
            for parameter in re.findall(
                    r"const char ?\* ?(?:const ?\*? ?)?(?:__restrict ?)?(\w*)", parameters):
                by_name[parameter].add(name)
        unknown = {name: sorted(by_name[name])
                   for name in set(by_name) - PATHS - set(MIXED) - OTHERS}
        self.assertEqual(unknown, {}, "whether these parameters are paths is not known")

        take_paths = UNNAMED | set().union(*(by_name[name] for name in PATHS))
        for name, some in MIXED.items():
            self.assertLessEqual(set(some.split()), by_name[name], name)
            take_paths |= set(some.split())
        take_paths -= set(NO_PATH)
        # "__name" is also an attribute's, a host's, a variable's: what is not a path today is
        # listed by what it is, so that a function that is new is seen.
        families = {family(name) for name in take_paths} - {""}
        take_paths |= {name for name in functions if family(name) in families} - set(NO_PATH)
        decided = {name for _, name, _ in table()}
        self.assertEqual(take_paths - decided, set(), "nothing is decided about these")
        self.assertEqual(decided - take_paths, set(), "these take no path")

        mixed_but_not_paths = set().union(*(by_name[name] for name in MIXED)) - decided
        self.assertEqual(mixed_but_not_paths - KNOWN_NAMES, set(),
                         "whether these take a path is not known")


# Functions with a parameter called "__name", "__from", "__to", "__pattern", or with one that has
# no name, that is no path: of an attribute, a variable, a symbol, a user, a host, a service, a
# semaphore or a message queue, a domain of DNS; a pattern of text; characters to be converted.
KNOWN_NAMES = set("""
    dlsym dlvsym dn_comp envz_add envz_entry envz_get envz_remove fgetxattr fnmatch fremovexattr
    fsetxattr getaddrinfo getaliasbyname getaliasbyname_r getenv getfsfile getfsspec getgrnam
    getgrnam_r gethostbyname gethostbyname2 gethostbyname2_r gethostbyname_r getnetbyname
    getnetbyname_r getprotobyname getprotobyname_r getpwnam getpwnam_r getrpcbyname
    getrpcbyname_r getservbyname getservbyname_r getsgnam getsgnam_r getspnam getspnam_r
    glob_pattern_p mbsnrtowcs mbsrtowcs memfd_create mq_open mq_unlink ns_name_compress
    ns_name_pton pthread_setname_np re_compile_pattern regcomp res_dnok res_hnok res_mailok
    res_mkquery res_nmkquery res_nquery res_nquerydomain res_nsearch res_ownok res_query
    res_querydomain res_search rexec rexec_af secure_getenv sem_open sem_unlink setdomainname
    setenv sethostname setlogin shm_open shm_unlink unsetenv verrx
""".split())


if __name__ == "__main__":
    cases.run()
