"""The faults, as data: each breaks a machine that was healthy, live.

    @fault("VG203", A, B)
    def drop_in_not_loaded(h):
        "A drop-in was changed, and systemd was not told."

The first place is where the short selection has it. What `break` does ends with the service as
somebody would find it: restarted, if that is how the fault comes about.
"""

import collections

from machine import (DROPIN, FRAGMENT, LIBRARIES, OLLAMA, ORDER, PATH, PRELOAD, SERVICE, SHIMS,
                     UNIT, VARIANT, dropin, environment, preload)

# Where a fault is made: the era, and how the shims come into the service.
A, A_PATH, A_UNIT = ("A", PRELOAD), ("A", PATH), ("A", UNIT)
B, B_PATH, B_UNIT = ("B", PRELOAD), ("B", PATH), ("B", UNIT)
C, C_PATH, C_UNIT = ("C", PRELOAD), ("C", PATH), ("C", UNIT)

# Where the report has it.
ROOT, LATENT, NOTE = "root_causes", "latent", "notes"

Fault = collections.namedtuple("Fault", "code name story places part mend beyond breaks")
FAULTS = []


def fault(code, *places, part=ROOT, mend=None, beyond=""):
    """`mend` is for what the commands of a report cannot do, and its words ask a person for: to
    edit a file, to choose. A function of the machine, done once, after the commands. `beyond` is
    why `verify` finds the GPU although the service did not; without it, it may not."""
    def register(breaks):
        FAULTS.append(Fault(code, breaks.__name__.replace("_", "-"), breaks.__doc__, places, part,
                            mend, beyond, breaks))
        return breaks
    return register


def shim(kind):
    return f"{SHIMS}/libvgpu-{kind}.so"


def reinstall(h):
    """The shims' files as the package has them."""
    h.reinstall(SHIMS)


def reinstall_ollama(h):
    h.reinstall(LIBRARIES)
    h.reinstall(OLLAMA)


SITE = f"{FRAGMENT}.d/zz-site.conf"


def by_hand(h):
    """An editor, where the report asks for one: the site's drop-in is taken out."""
    h.sh(f"rm {SITE}")


def add(h, *lines):
    """A later drop-in of the site's, and a restart."""
    h.write(SITE, dropin(*lines))
    h.restart()


def replaced(h, what):
    """Another drop-in in place of ours, its text or its variables, and a restart."""
    h.write(DROPIN, what if isinstance(what, str) else environment(**what))
    h.restart()


# 1xx: the whole machine.

@fault("VG101", A, B, part=LATENT)
def every_program_loads_the_shims(h):
    """/etc/ld.so.preload of the machine lists the shims."""
    h.write("/etc/ld.so.preload", "".join(f"{shim(kind)}\n" for kind in ORDER))
    h.restart()


@fault("VG102", A, part=LATENT, mend=lambda h: h.sh("rm /etc/ld.so.preload"))
def machine_wide_entry_is_gone(h):
    """/etc/ld.so.preload of the machine names a library that does not exist."""
    h.write("/etc/ld.so.preload", "/usr/lib/libgone.so\n")
    h.restart()


def _shims_where_they_are(h):
    h.sh("rm /etc/ld.so.preload")
    h.write(DROPIN, environment(**h.variables()))


@fault("VG102", A, mend=_shims_where_they_are)
def machine_wide_entries_are_gone_and_nothing_else_preloads(h):
    """The shims were moved; the machine's list, which is how the service had them, was not."""
    h.sh("mkdir /opt/vgpu")
    h.write(DROPIN, environment(LD_LIBRARY_PATH="/opt/vgpu"))
    h.write("/etc/ld.so.preload", "".join(f"/opt/vgpu/libvgpu-{kind}.so\n" for kind in ORDER))
    h.restart()


@fault("VG103", A, part=NOTE)
def another_products_layer(h):
    """HAMi's library is preloaded beside the shims."""
    h.library("/usr/local/vgpu/libvgpu.so", "int hami_core_init(void) { return 0; }"
              "int load_env_from_file(void) { return 0; }", "-Wl,-soname,libvgpu.so")
    replaced(h, h.variables(LD_PRELOAD=preload() + ":/usr/local/vgpu/libvgpu.so"))


# 2xx: what the unit says.

@fault("VG201", A, mend=lambda h: h.reinstall(FRAGMENT))
def unit_is_gone(h):
    """The unit's file was deleted."""
    h.run("systemctl", "stop", SERVICE)
    h.sh(f"rm {FRAGMENT}")
    h.reload()


@fault("VG202", A, mend=lambda h: h.sh("rm /etc/systemd/system/my-ollama.service"))
def another_unit_serves(h):
    """Somebody made a unit of his own; the one with the shims is stopped."""
    h.run("systemctl", "stop", SERVICE)
    h.sh(f"cp {FRAGMENT} /etc/systemd/system/my-ollama.service")
    h.reload()
    h.run("systemctl", "start", "my-ollama.service")
    h.wait(lambda: 'inference compute' in h.log("-u", "my-ollama.service"))


@fault("VG203", A, B, C)
def drop_in_not_loaded(h):
    """The drop-in was written after the start, and systemd was not told."""
    h.sh(f"mv {DROPIN} /tmp/vgpu.conf")
    h.restart()
    h.sh(f"cp /tmp/vgpu.conf {DROPIN}")


@fault("VG203", A)
def old_time_hides_the_change(h):
    """The drop-in was copied with an old time: systemd does not see that it has changed."""
    h.write(DROPIN, environment(LD_PRELOAD=preload("exec")))
    h.sh(f"touch -d 2020-01-02 {DROPIN}")
    h.restart()
    h.write("/tmp/new.conf", environment(**h.variables()))
    h.sh(f"touch -d 2020-01-02 /tmp/new.conf; cp -p /tmp/new.conf {DROPIN}")


@fault("VG204", A, B)
def name_without_conf(h):
    """The drop-in's name does not end in .conf."""
    h.sh(f"mv {DROPIN} {DROPIN}.disabled")
    h.restart()


@fault("VG204", A)
def wrong_directory(h):
    """The drop-in lies in ollama.d."""
    h.sh(f"mv {FRAGMENT}.d /etc/systemd/system/ollama.d")
    h.restart()


@fault("VG204", A)
def no_section(h):
    """The drop-in has no [Service]."""
    h.sh(f"sed -i /Service/d {DROPIN}")
    h.restart()


@fault("VG204", A)
def wrong_section(h):
    """The assignment stands under [Unit]."""
    h.sh(f"sed -i s/Service/Unit/ {DROPIN}")
    h.restart()


@fault("VG204", A)
def misspelt_key(h):
    """Enviroment."""
    h.sh(f"sed -i s/^Environment/Enviroment/ {DROPIN}")
    h.restart()


@fault("VG204", A)
def open_quote(h):
    """A quote is not closed."""
    h.sh(f"sed -i 's/\"$//' {DROPIN}")
    h.restart()


@fault("VG204", A)
def masked(h):
    """A link to /dev/null hides the package's drop-in."""
    h.sh(f"mkdir -p /usr/lib/systemd/system/{SERVICE}.d && "
         f"mv {DROPIN} /usr/lib/systemd/system/{SERVICE}.d/ && ln -s /dev/null {DROPIN}")
    h.restart()


@fault("VG204", A, mend=lambda h: h.write(DROPIN, environment(**h.variables())))
def empty(h):
    """The drop-in was cut to nothing."""
    h.sh(f": > {DROPIN}")
    h.restart()


@fault("VG205", A, B)
def later_drop_in_empties_it(h):
    """A later drop-in sets LD_PRELOAD to nothing."""
    add(h, *(f'Environment="{name}="' for name in h.variables()))


@fault("VG205", A)
def later_drop_in_clears_all(h):
    """A later drop-in has a bare Environment=."""
    add(h, "Environment=")


@fault("VG205", A)
def unset_environment(h):
    """UnsetEnvironment takes it away."""
    add(h, "UnsetEnvironment=" + " ".join(h.variables()))


@fault("VG205", A, B, mend=lambda h: h.sh("rm /etc/default/ollama; sed -i s/=/=-/ %s" % SITE))
def environment_file_wins(h):
    """An EnvironmentFile replaces it."""
    h.write("/etc/default/ollama", "".join(f"{name}=\n" for name in h.variables()))
    add(h, "EnvironmentFile=/etc/default/ollama")


@fault("VG206", B, C)
def cut_at_a_space(h):
    """A list with spaces, and no quotes: the first entry is left."""
    replaced(h, dropin("Environment=LD_PRELOAD=" + preload().replace(":", " ")))


@fault("VG207", A, B)
def wrapper_empties_the_environment(h):
    """ExecStart is a script that starts Ollama with env -i."""
    # The exec shim, where it is preloaded, keeps the list for children of any environment.
    h.write(DROPIN, environment(**h.variables(LD_PRELOAD=preload(*ORDER[1:]))))
    h.write("/usr/local/bin/start-ollama", "#!/bin/sh\nexec env -i HOME=/usr/share/ollama "
            f"PATH=/usr/bin:/bin {OLLAMA} serve\n", 0o755)
    add(h, "ExecStart=", "ExecStart=/usr/local/bin/start-ollama")


@fault("VG207", A)
def env_unset(h):
    """ExecStart takes the variable away itself."""
    add(h, "ExecStart=", f"ExecStart=/usr/bin/env -u LD_PRELOAD -u LD_LIBRARY_PATH {OLLAMA} serve")


@fault("VG208", A, B)
def not_executable(h):
    """The server lost its x bits."""
    h.sh(f"chmod 0644 {OLLAMA}")
    h.restart()


@fault("VG208", A)
def below_a_closed_home(h):
    """The server lies below a home directory that its user may not enter."""
    h.sh(f"mkdir -p /home/operator/bin && cp {OLLAMA} /home/operator/bin/ && "
         "chmod 0700 /home/operator")
    add(h, "ExecStart=", "ExecStart=/home/operator/bin/ollama serve")


@fault("VG209", A, B, mend=by_hand)
def bind_source_is_gone(h):
    """A path that the unit binds does not exist."""
    add(h, "BindReadOnlyPaths=/var/lib/vgpu/nowhere:/opt/tree")


@fault("VG209", A_UNIT, mend=lambda h: h.run("vgpu-run", "unit", "--service", SERVICE, "--install"))
def bound_preload_list_is_gone(h):
    """The list that is bound over /etc/ld.so.preload was deleted."""
    h.sh("rm /etc/vgpu/ld.so.preload")
    h.restart()


@fault("VG210", A, B, mend=by_hand)
def shims_are_inaccessible(h):
    """InaccessiblePaths hides the shims."""
    add(h, f"InaccessiblePaths={SHIMS}")


@fault("VG210", A, mend=by_hand)
def protect_home_hides_the_shims(h):
    """The shims lie below /home, and ProtectHome hides them."""
    h.sh(f"cp -a {SHIMS} /home/vgpu && chmod 0755 /home/vgpu")
    h.write(DROPIN, environment(LD_PRELOAD=preload(directory="/home/vgpu"),
                                LD_LIBRARY_PATH="/home/vgpu"))
    add(h, "ProtectHome=yes")


@fault("VG210", A, mend=by_hand)
def no_exec_paths(h):
    """NoExecPaths forbids to load the shims."""
    add(h, f"NoExecPaths={SHIMS}")


@fault("VG211", A, B)
def environment_file_is_missing(h):
    """An EnvironmentFile without "-" does not exist."""
    add(h, "EnvironmentFile=/etc/default/ollama")


@fault("VG212", A, part=NOTE)
def log_goes_to_a_file(h):
    """The log is not in the journal."""
    h.log_file = "/usr/share/ollama/log"
    add(h, f"StandardError=append:{h.log_file}")


# 3xx: what the process has.

@fault("VG301", A, B, C)
def stopped(h):
    """The service is stopped."""
    h.run("systemctl", "stop", SERVICE)


@fault("VG302", A, B, C)
def not_restarted(h):
    """The drop-in came, systemd was told, and the service was not restarted."""
    h.sh(f"mv {DROPIN} /tmp/vgpu.conf")
    h.restart()
    h.sh(f"cp /tmp/vgpu.conf {DROPIN}")
    h.reload()


# A library of a site's, preloaded with the shims, that does something at the start of a program.
# The loader gives a constructor what main gets.
AT_START = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void start(int count, char **words, char **environment) {
  const int discovery = count > 1 && strcmp(words[1], "runner") == 0;
  (void)discovery;
  %s
}
"""


def with_library(h, source, *kinds, **variables):
    """A library in front of the shims of those kinds (none: of every kind)."""
    h.library("/opt/site/libsite.so", source)
    replaced(h, h.variables(LD_PRELOAD="/opt/site/libsite.so:" + preload(*kinds), **variables))


def without_library(h):
    h.write(DROPIN, environment(**h.variables()))


@fault("VG303", B, mend=without_library)
def starts_itself_anew_with_less(h):
    """A library of the site's drops what is preloaded and starts the program again."""
    # The exec shim, where it is preloaded, keeps the list for what is started.
    with_library(h, AT_START % """
  if (getenv("LD_PRELOAD") == NULL) return;
  unsetenv("LD_PRELOAD");
  extern char **environ;
  execve("/proc/self/exe", words, environ);
""", *ORDER[1:])


@fault("VG304", A, mend=lambda h: h.sh(f"chmod u-s {OLLAMA}"))
def set_user_id(h):
    """The server is set-user-ID root: the loader drops LD_PRELOAD and LD_LIBRARY_PATH."""
    h.sh(f"chmod u+s {OLLAMA}")
    h.restart()


@fault("VG304", B, mend=lambda h: h.run(  # the container has no setcap
    "python3", "-c", f"import os; os.removexattr('{OLLAMA}', 'security.capability')"))
def file_capability(h):
    """The server was given a capability, as Ollama's page on Vulkan advises."""
    # cap_net_bind_service+ep: VFS_CAP_REVISION_2 and the effective bit, bit 10 permitted. (That of
    # the page, cap_perfmon, no container has.)
    h.run("python3", "-c", "import os, struct; os.setxattr('%s', 'security.capability', "
          "struct.pack('<5I', 0x02000001, 1 << 10, 0, 0, 0))" % OLLAMA)
    h.restart()


@fault("VG305", B, mend=lambda h: h.reinstall(OLLAMA))
def static_program(h):
    """Somebody built Ollama with CGO_ENABLED=0: no loader starts it, so nothing is preloaded."""
    h.copy("tools/vgpu_doctor/live/stand_in/ollama_stand_in_static", OLLAMA)
    h.restart()


@fault("VG306", A, B, part=LATENT)
def shim_was_upgraded(h):
    """A shim was replaced while the server runs."""
    h.sh(f"cp {shim('cuda')} {shim('cuda')}.new && mv {shim('cuda')}.new {shim('cuda')}")


def _without_the_test(h):
    """The report has it started once without a preload list, and says how that is taken back."""
    h.sh(f"rm {FRAGMENT}.d/zz-vgpu-doctor-vg307.conf")
    by_hand(h)


@fault("VG307", A, mend=_without_the_test)
def dies_at_once(h):
    """It ends with an error at every start, and nothing says why."""
    add(h, "ExecStart=", f"ExecStart={OLLAMA} sevre", "RestartSec=100ms")


@fault("VG308", A, B, part=LATENT)
def server_was_upgraded(h):
    """The server's file was replaced while it runs."""
    h.sh(f"cp {OLLAMA} {OLLAMA}.new && mv {OLLAMA}.new {OLLAMA}")


# Its execve takes the preload list from the runner.
STRIPS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
int execve(const char *path, char *const words[], char *const environment[]) {
  static int (*next)(const char *, char *const[], char *const[]);
  char *kept[4096];
  int count = 0;
  next = dlsym(RTLD_NEXT, "execve");
  for (; *environment != NULL && count < 4095; ++environment) {
    if (strncmp(*environment, "LD_PRELOAD=", 11) != 0) kept[count++] = *environment;
  }
  kept[count] = NULL;
  return next(path, words, kept);
}
"""
HANGS = "#include <unistd.h>\n__attribute__((constructor)) static void hang(void) { sleep(600); }"


def _children_in_order(h):
    h.sh(f"rm -r {LIBRARIES}/cuda_v11")
    without_library(h)


@fault("VG309", B, mend=_children_in_order,
       beyond="what the server itself gives its child is given by verify, which leaves it whole")
def children_lose_the_list(h):
    """A library of the site's takes the preload list from every program that the server starts.
    (That a backend hangs, too, lets the child be seen.)"""
    h.library(f"{LIBRARIES}/cuda_v11/libggml-cuda.so", HANGS)
    h.patience = 3  # it hangs for half a minute
    with_library(h, STRIPS, *ORDER[1:])


@fault("VG310", B, part=NOTE)
def managers_environment(h):
    """LD_PRELOAD comes from systemctl set-environment."""
    h.run("systemctl", "set-environment", f"LD_PRELOAD={preload()}")
    h.sh(f"rm {DROPIN}")
    h.restart()


# 4xx: what the loader does with the shims.

@fault("VG401", A, B, C, A_UNIT, mend=reinstall)
def shim_is_gone(h):
    """The CUDA shim's file was deleted."""
    h.sh(f"rm {shim('cuda')}")
    h.restart()


@fault("VG401", B, C)
def misspelt_path(h):
    """The list names a directory in which the shims are not."""
    replaced(h, h.variables(LD_PRELOAD=preload(directory="/usr/lib/vpgu")))


@fault("VG402", A, B)
def closed_file(h):
    """The CUDA shim is for root alone to read."""
    h.sh(f"chmod 0600 {shim('cuda')}")
    h.restart()


@fault("VG402", A, B, A_UNIT)
def closed_directory(h):
    """The shims' directory is for root alone to enter."""
    h.sh(f"chmod 0700 {SHIMS}")
    h.restart()


@fault("VG402", B_UNIT)
def closed_list(h):
    """The bound preload list is for root alone to read."""
    h.sh("chmod 0600 /etc/vgpu/ld.so.preload")
    h.restart()


@fault("VG403", A, B, mend=reinstall)
def no_library(h):
    """The CUDA shim's file is a page that a download left."""
    h.put(shim("cuda"), b"<html><body>404 not found: the file that you asked for is not here"
          b"</body></html>\n" * 3)
    h.restart()


@fault("VG403", A, mend=reinstall)
def empty_file(h):
    """The CUDA shim's file is empty."""
    h.sh(f": > {shim('cuda')}")
    h.restart()


@fault("VG403", B, mend=reinstall)
def another_machine(h):
    """The CUDA shim was built for arm64."""
    content = bytearray(h.bytes(shim("cuda")))
    content[18:20] = (183).to_bytes(2, "little")  # e_machine: EM_AARCH64
    h.put(shim("cuda"), bytes(content))
    h.restart()


@fault("VG403", B, A)
def mounted_noexec(h):
    """The shims' directory is a file system of its own, from which nothing may be executed."""
    h.sh(f"cp -a {SHIMS} /tmp/kept && mount -t tmpfs -o noexec,mode=0755 tmpfs {SHIMS} && "
         f"cp -a /tmp/kept/. {SHIMS}/")
    h.restart()


@fault("VG404", A, B, mend=reinstall)
def cut_short(h):
    """The CUDA shim was copied onto a disk that was full: its headers are there, and no more."""
    h.sh(f"truncate -s 8192 {shim('cuda')}")
    h.restart()


@fault("VG405", A, B, mend=reinstall)
def dependency_is_missing(h):
    """A shim needs a library that is not installed."""
    h.library("/tmp/libgone.so.1", "int gone(void) { return 1; }", "-Wl,-soname,libgone.so.1")
    h.sh("cp /tmp/libgone.so.1 /shared/libgone.so.1")
    h.library(shim("nvml"), "int gone(void); int nvmlInit_v2(void) { return gone(); }",
              f"{h.shared}/libgone.so.1", "-Wl,-soname,libnvidia-ml.so.1")
    h.restart()


@fault("VG406", A, B, mend=reinstall)
def symbol_is_defined_by_nobody(h):
    """A shim calls a function that no library has, and is bound at once."""
    h.library(shim("nvml"), "int vgpu_table(void); int nvmlInit_v2(void) { return vgpu_table(); }",
              "-Wl,-soname,libnvidia-ml.so.1", "-Wl,-z,now", "-Wl,--allow-shlib-undefined")
    h.restart()


def _elf_hash(name):
    """That of the System V ABI, by which the loader compares versions."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value >> 24 & 0xf0)) & 0x0fffffff
    return value.to_bytes(4, "little")


@fault("VG407", A, B, mend=reinstall)
def newer_libc(h):
    """A shim was built on a newer system."""
    content = h.bytes(shim("nvml"))
    old = max(name for name in (b"GLIBC_2.34", b"GLIBC_2.33", b"GLIBC_2.32", b"GLIBC_2.14")
              if name in content)
    new = b"GLIBC_2.99"
    h.patch(shim("nvml"), (old + b"\0", new + b"\0"), (_elf_hash(old), _elf_hash(new)))
    h.restart()


@fault("VG408", B, mend=reinstall)
def soname_is_wrong(h):
    """The CUDA shim has another SONAME than programs ask for."""
    h.patch(shim("cuda"), (b"libcuda.so.1\0", b"libcudx.so.1\0"))
    h.restart()


@fault("VG409", B, mend=reinstall)
def version_node_is_another(h):
    """The runtime's shim is of an old build: it defines a version, and not the one that is asked
    for."""
    with open(f"{h.shared}/versions", "w", encoding="utf-8") as file:
        file.write("libcudart.so.11.0 { global: *; };")
    h.library(shim("cudart"), "int cudaGetDeviceCount(int *count) { *count = 0; return 0; }",
              "-Wl,-soname,libcudart.so.12", f"-Wl,--version-script={h.shared}/versions")
    h.restart()


@fault("VG410", A, B, part=LATENT)
def copy_beside_the_original(h):
    """A second copy of the CUDA shim is preloaded too."""
    h.sh(f"mkdir -p /opt/vgpu && cp {shim('cuda')} /opt/vgpu/")
    replaced(h, h.variables(LD_PRELOAD=preload() + ":/opt/vgpu/libvgpu-cuda.so"))


@fault("VG411", A, part=NOTE)
def another_order(h):
    """The list has another order."""
    replaced(h, h.variables(LD_PRELOAD=preload(*reversed(ORDER))))


@fault("VG412", B)
def entry_is_nvidias(h):
    """In place of a shim the list has NVIDIA's own runtime."""
    replaced(h, h.variables(LD_PRELOAD=preload("exec", "syscall", "cuda", "nvml") +
                            f":{VARIANT}/libcudart.so.12"))


@fault("VG413", B, C)
def doubled_directory(h):
    """An entry has its directory twice."""
    replaced(h, h.variables(LD_PRELOAD=preload().replace(
        shim("cuda"), f"{SHIMS}{shim('cuda')}")))


@fault("VG413", B)
def quotes_in_the_value(h):
    """The value has quotes in it."""
    replaced(h, dropin("Environment=\"LD_PRELOAD='%s'\"" % preload()))


@fault("VG414", B)
def shim_is_not_listed(h):
    """The runtime's shim is not in the list."""
    replaced(h, h.variables(LD_PRELOAD=preload("exec", "syscall", "cuda", "nvml")))


@fault("VG415", B_PATH)
def another_file_wins(h):
    """A library of the same name lies before the shim on the path."""
    h.library("/opt/old/libcuda.so.1", "int cuInit(unsigned flags) { return 100; }",
              "-Wl,-soname,libcuda.so.1")
    replaced(h, h.variables(LD_LIBRARY_PATH=f"/opt/old:{SHIMS}"))


@fault("VG416", B)
def empty_cublas_wins(h):
    """A cuBLAS without a function lies before the real one."""
    h.library("/opt/stub/libcublas.so.12", "int stub(void) { return 0; }",
              "-Wl,-soname,libcublas.so.12")
    replaced(h, h.variables(LD_PRELOAD=preload() + ":/opt/stub/libcublas.so.12"))


@fault("VG417", B, mend=lambda h: h.write(DROPIN, environment(**h.variables())))
def preloaded_dlopen(h):
    """A preloaded library takes dlopen for itself and opens nothing."""
    h.library("/opt/trace/libtrace.so", "void *dlopen(const char *name, int how) { return 0; }")
    replaced(h, h.variables(LD_PRELOAD=preload() + ":/opt/trace/libtrace.so"))


@fault("VG415", B_PATH)
def nvidias_runtime_wins(h):
    """An upgrade of Ollama put NVIDIA's runtime back where a link to the shim was."""
    h.sh(f"ln -sfn libcudart.so.12.8.90 {VARIANT}/libcudart.so.12")
    h.restart()


@fault("VG418", B)
def nvidias_runtime_over_the_shim(h):
    """There is no shim of the runtime: NVIDIA's asks the virtual driver to be NVIDIA's too."""
    h.sh(f"rm {SHIMS}/libvgpu-cudart*.so {SHIMS}/libcudart.so.*")
    replaced(h, h.variables(LD_PRELOAD=preload("exec", "syscall", "cuda", "nvml")))


# 5xx: Ollama's libraries.

@fault("VG418", A)
def no_driver_by_a_path(h):
    """Era A opens the driver by a path, and the shims are preloaded only."""
    replaced(h, environment(LD_PRELOAD=preload()))


@fault("VG418", A)
def no_driver_by_a_path_and_it_is_told(h):
    """The same, and the log has DEBUG lines: which runtime it asked instead."""
    replaced(h, environment(LD_PRELOAD=preload(), OLLAMA_DEBUG="1"))


@fault("VG501", B, A, mend=lambda h: h.sh(f"mv /opt/lib-ollama {LIBRARIES}"))
def library_directory_is_gone(h):
    """Ollama's library directory was moved."""
    h.sh(f"mv {LIBRARIES} /opt/lib-ollama")
    h.restart()


@fault("VG502", B, A, mend=lambda h: h.sh(f"mv /opt/libggml-cuda.so {VARIANT}/"))
def backend_is_gone(h):
    """No variant has the CUDA backend."""
    h.sh(f"mv {VARIANT}/libggml-cuda.so /opt/")
    h.restart()


@fault("VG503", B, mend=lambda h: h.sh(f"mv /opt/libggml-cuda.so {VARIANT}/"))
def backend_is_a_dangling_link(h):
    """The backend is a link to a directory that was removed."""
    h.sh(f"mv {VARIANT}/libggml-cuda.so /opt/ && "
         f"ln -s /usr/lib/ollama/cuda_v12/libggml-cuda.so {VARIANT}/libggml-cuda.so")
    h.restart()


@fault("VG504", B, B_PATH, mend=reinstall_ollama)
def cublas_is_gone(h):
    """The backend needs cuBLAS, which was deleted to save space."""
    h.sh(f"rm {VARIANT}/libcublas.so.12")
    h.restart()


@fault("VG416", B, mend=reinstall_ollama)
def empty_cublas_beside_the_backend(h):
    """The libcublas beside the backend is a stub without a function."""
    h.library(f"{VARIANT}/libcublas.so.12", "int stub(void) { return 0; }",
              "-Wl,-soname,libcublas.so.12")
    h.restart()


@fault("VG514", B, mend=reinstall_ollama)
def base_is_older_than_the_backend(h):
    """libggml-base is of another version, and lacks what the backend imports."""
    h.patch(f"{LIBRARIES}/libggml-base.so",
            (b"\0ggml_can_fuse_subgraph_ext\0", b"\0ggml_can_fuse_subgraph_old\0"))
    h.restart()


@fault("VG506", B, C)
def no_such_variant(h):
    """OLLAMA_LLM_LIBRARY names a variant that is not installed."""
    add(h, 'Environment="OLLAMA_LLM_LIBRARY=cuda_v11"')


@fault("VG507", A, B, C)
def devices_are_hidden(h):
    """CUDA_VISIBLE_DEVICES is -1."""
    add(h, 'Environment="CUDA_VISIBLE_DEVICES=-1"')


@fault("VG507", B)
def no_such_device(h):
    """CUDA_VISIBLE_DEVICES has the id of a card that was taken out."""
    add(h, 'Environment="CUDA_VISIBLE_DEVICES=GPU-11111111-2222-3333-4444-555555555555"')


@fault("VG508", B, mend=by_hand)
def another_installation_runs(h):
    """A second server, without libraries of its own, is the one that runs."""
    h.sh(f"mkdir -p /opt/bin && cp {OLLAMA} /opt/bin/ollama")
    add(h, "ExecStart=", "ExecStart=/opt/bin/ollama serve")


@fault("VG509", B, mend=lambda h: h.sh(f"mv /opt/bin/ollama {OLLAMA}; rm {SITE}"))
def server_was_moved(h):
    """The server was moved to where it does not find its libraries."""
    h.sh(f"mkdir -p /opt/bin && mv {OLLAMA} /opt/bin/ollama")
    add(h, "ExecStart=", "ExecStart=/opt/bin/ollama serve")


@fault("VG510", B, part=NOTE)
def library_path_is_set(h):
    """OLLAMA_LIBRARY_PATH is set, which changes nothing."""
    add(h, f'Environment="OLLAMA_LIBRARY_PATH={LIBRARIES}:{VARIANT}"')


def _device(h, text):
    h.write("/etc/vgpu/devices.toml", f'[[device]]\nprofile = "h100-80gb-hbm3"\n{text}')


@fault("VG511", C, A, mend=lambda h: _device(h, ""))
def device_is_older_than_the_backend(h):
    """The device has a compute capability that no code of the backend is for."""
    _device(h, 'compute_capability = "3.5"\n')
    h.restart()


SNAP = "/snap/ollama/105"
SNAP_UNIT = "snap.ollama.listener.service"


def _out_of_the_snap(h):
    """What the report's words ask for: the snap is stopped, Ollama's own service runs."""
    h.judged = SERVICE
    h.run("systemctl", "disable", "--quiet", "--now", SNAP_UNIT)
    h.sh(f"rm -r /etc/systemd/system/{SNAP_UNIT} /etc/systemd/system/{SNAP_UNIT}.d {SNAP} "
         "/usr/bin/snap")
    h.reload()
    h.run("systemctl", "enable", "--quiet", "--now", SERVICE)


# snapd is not had here. What matters of it: the program lies where a snap has it, and is started
# in a mount namespace without the host's libraries, and without what is to be preloaded.
SNAP_RUN = """
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>
int main(void) {
  unsetenv("LD_PRELOAD");
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
      mount("tmpfs", "%s", "tmpfs", 0, "") != 0) return 1;
  execl("%s/bin/ollama", "ollama", "serve", (char *)0);
  return 1;
}
"""


@fault("VG512", B, mend=_out_of_the_snap)
def runs_as_a_snap(h):
    """Ollama's snap is what serves."""
    h.run("systemctl", "disable", "--quiet", "--now", SERVICE)
    h.sh(f"mkdir -p {SNAP}/bin {SNAP}/lib && cp {OLLAMA} {SNAP}/bin/ && "
         f"ln -s {LIBRARIES} {SNAP}/lib/ollama")
    h.program("/usr/bin/snap", SNAP_RUN % (SHIMS, SNAP))
    h.write(f"/etc/systemd/system/{SNAP_UNIT}", dropin("ExecStart=/usr/bin/snap run ollama.listener")
            + "[Install]\nWantedBy=default.target\n")
    h.write(f"/etc/systemd/system/{SNAP_UNIT}.d/vgpu.conf", environment(**h.variables()))
    h.reload()
    h.run("systemctl", "enable", "--quiet", "--now", SNAP_UNIT)
    h.judged = SNAP_UNIT
    h.wait(lambda: "inference compute" in h.log("-u", SNAP_UNIT))


VULKAN = """
const char *stand_in_devices(void) {
  return "  Vulkan0: NVIDIA L40S (NVIDIA) (46068 MiB, 45400 MiB free)\\n";
}
"""


@fault("VG515", C, part=NOTE)
def vulkan_passes_the_selection(h):
    """CUDA_VISIBLE_DEVICES leaves one of two cards, and Vulkan reaches the other all the same."""
    _device(h, '[[device]]\nprofile = "l40s"\npci_address = "0000:00:06.0"\n')
    h.library(f"{LIBRARIES}/vulkan/libggml-vulkan.so", VULKAN)
    add(h, 'Environment="CUDA_VISIBLE_DEVICES=0"')


@fault("VG513", B_PATH)
def toolkits_stub_wins(h):
    """The toolkit's stub of the driver lies before the shim."""
    h.library("/usr/local/cuda/lib64/stubs/libcuda.so", "int cuInit(unsigned flags) { return 34; }"
              "int cuDeviceGetCount(int *n) { return 34; }", "-Wl,-soname,libcuda.so.1")
    h.sh("ln -s libcuda.so /usr/local/cuda/lib64/stubs/libcuda.so.1")
    replaced(h, h.variables(LD_LIBRARY_PATH=f"/usr/local/cuda/lib64/stubs:{SHIMS}"))


# 7xx: what discovery said.

@fault("VG705", A, part=NOTE, mend=lambda h: h.restart())
def journal_was_rotated_away(h):
    """The journal was emptied after the start."""
    # What is younger than a second stays.
    h.sh("journalctl --rotate && sleep 1.5 && journalctl --vacuum-time=1s")


def _mended_configuration(h):
    h.write("/etc/vgpu/devices.toml", '[[device]]\nprofile = "h100-80gb-hbm3"\n')


@fault("VG707", A, B, mend=_mended_configuration)
def configuration_of_the_device_is_broken(h):
    """The shims' configuration names no profile that exists."""
    h.write("/etc/vgpu/devices.toml", '[[device]]\nprofile = "h900"\n')
    h.restart()


@fault("VG706", A, beyond="what was wrong at the start is right since")  # the log of a later era does not have the code
def device_came_later(h):
    """The shims' configuration was broken at the start, and was mended since."""
    h.write("/etc/vgpu/devices.toml", '[[device]]\nprofile = "h900"\n')
    h.restart()
    _mended_configuration(h)


@fault("VG701", B, mend=without_library)
def discovery_hangs(h):
    """A library of the site's waits for something in the child of discovery."""
    h.patience = 45
    with_library(h, AT_START % "if (discovery) sleep(600);")


@fault("VG702", B, mend=without_library)
def discovery_crashes(h):
    """A library of the site's ends the child of discovery."""
    with_library(h, AT_START % "if (discovery) abort();")


@fault("VG703", B, mend=without_library)
def second_pass_finds_nothing(h):
    """A library of the site's does not let a card be selected by its id."""
    with_library(h, AT_START % """
  const char *selected = getenv("CUDA_VISIBLE_DEVICES");
  if (discovery && selected != NULL && strncmp(selected, "GPU-", 4) == 0) {
    setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
  }
""", OLLAMA_DEBUG="1")


@fault("VG704", B, mend=without_library)
def nothing_tells_why(h):
    """A library of the site's hides every device from the child of discovery."""
    with_library(h, AT_START % 'if (discovery) setenv("CUDA_VISIBLE_DEVICES", "-1", 1);')


# Ollama v0.5.7, where it asks the processor for vector extensions (discover/gpu.go). The real one
# asks by an instruction, whose answer cannot be changed here: this one reads what the doctor reads.
OLD_OLLAMA = """
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#define LINE(source, text) fputs("time=2026-01-01T00:00:00.000Z level=INFO source=" source " " \\
                                 text "\\n", stderr)
int main(void) {
  char line[8192];
  int avx = 0;
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    avx |= strncmp(line, "flags", 5) == 0 && strstr(line, " avx") != NULL;
  }
  LINE("routes.go:1187", "msg=\\"server config\\" env=\\"map[OLLAMA_DEBUG:false]\\"");
  LINE("routes.go:1238", "msg=\\"Listening on 127.0.0.1:11434 (version 0.5.7)\\"");
  LINE("gpu.go:226", "msg=\\"looking for compatible GPUs\\"");
  if (!avx) {
    fputs("time=2026-01-01T00:00:00.000Z level=WARN source=gpu.go:240 msg=\\"CPU does not have "
          "minimum vector extensions, GPU inference disabled\\" required=avx "
          "detected=\\"no vector extensions\\"\\n", stderr);
  }
  LINE("types.go:131", "msg=\\"inference compute\\" id=0 library=cpu variant=\\"no vector "
       "extensions\\" compute=\\"\\" driver=0.0 name=\\"\\" total=\\"15.6 GiB\\" "
       "available=\\"14.0 GiB\\"");
  for (;;) pause();
}
"""


@fault("VG709", A, mend=lambda h: h.reinstall(OLLAMA),  # a newer one
       beyond="the libraries are as they should be: what the processor lacks, Ollama itself asks")
def processor_without_avx(h):
    """The virtual machine's processor has no AVX, and Ollama is of a version that asks for it."""
    h.program(OLLAMA, OLD_OLLAMA)
    h.sh("sed -E '/^flags/s/ (avx|f16c|fma)[^ ]*//g' /proc/cpuinfo > /tmp/cpuinfo && "
         "mount --bind /tmp/cpuinfo /proc/cpuinfo")
    h.restart()


# The layers that are made here.
LAYERS = "123457"

# What is not made, and why. (Layers 6 and 8 are the device's and its believability: the tests of
# the shims and of the rules have them.)
NOT_MADE = {
    "VG505": "every library that the backend asks is a shim, cuBLAS or ggml's own, and a missing "
             "symbol of theirs is VG406, VG416 or VG514",
    "VG708": "it is a consequence alone: a result that a later line of the log takes back",
}


def _pair(place, *breaks):
    names = [function.__name__.replace("_", "-") for function in breaks]
    return tuple(next(fault for fault in FAULTS if fault.name == name) for name in names), place


# Two at once: the one to act on first comes first.
PAIRS = [
    _pair(B, later_drop_in_empties_it, closed_file),
    _pair(B, shim_is_gone, devices_are_hidden),
    _pair(B, bind_source_is_gone, cut_short),
    _pair(B, backend_is_gone, devices_are_hidden),
    _pair(A, closed_directory, devices_are_hidden),
    _pair(C, name_without_conf, no_such_variant),
    _pair(C, shim_is_gone, no_such_variant),
]

# The selection that every change is tested with.
SHORT = {(breaks.__name__.replace("_", "-"), place) for breaks, place in (
    (machine_wide_entries_are_gone_and_nothing_else_preloads, A),
    (drop_in_not_loaded, B),
    (misspelt_key, A),
    (later_drop_in_empties_it, B),
    (bind_source_is_gone, A),
    (shims_are_inaccessible, B),
    (not_restarted, A),
    (stopped, C),
    (shim_is_gone, A),
    (closed_directory, A_UNIT),
    (cut_short, B),
    (dependency_is_missing, A),
    (another_file_wins, B_PATH),
    (backend_is_gone, B),
    (devices_are_hidden, C),
    (configuration_of_the_device_is_broken, A),
)}
