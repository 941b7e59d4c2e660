"""2xx: what the unit says."""

import host as model
from cases import (A, A_OLD, B, B_BOUND, B_DEBUG, B_LATE, B_PATH, B_REAL, C, C_BOUND, C_PATH,
                   C_REAL, fault, neighbour)

NO_SHIMS = ["VG504"]


@fault("VG201", B, A_OLD, C_PATH, consequences=[], touches=["unit"], never=["VG301", "VG704"])
def no_such_unit(h):
    """Ollama is installed, and there is no unit of that name, on disk or loaded."""
    h.fragment, h.dropin = "", ""
    h.stopped = {"state": "inactive"}


@neighbour("VG201", B, C_PATH)
def packaged_unit(h):
    """The unit is a package's, below /lib/systemd/system."""
    h.fragment = "/lib/systemd/system/" + h.unit
    text = ("[Unit]\nDescription=Ollama Service\n[Service]\nExecStart=%s\nUser=ollama\n"
            "Group=ollama\nRestart=always\nEnvironment=\"PATH=%s\"\n" % (h.exec_start,
                                                                    h.base_path))
    h.file("/usr/lib/systemd/system/" + h.unit, text)


@neighbour("VG201", dict(version="0.16.2", unit="llm@blue.service", pid=811))
def instance_of_a_template(h):
    """The judged unit is an instance: the file and the drop-in are the template's."""
    h.fragment = model.SYSTEM + "/llm@.service"
    h.dropin = h.fragment + ".d/vgpu.conf"
    h.dropin_paths = [h.dropin]


def _another(h, exe, cgroup, uid=998, words=None):
    h.stopped = {"state": "inactive"}
    h.serves = True
    h.processes.append(model.Process(
        3030, exe, words or [exe, "serve"], {"PATH": "/usr/bin:/bin", "HOME": "/root"}, uid=uid,
        cgroup=cgroup, started=700, fds={3: "socket:[88433]"},
        objects=[model.LIBDIR + "/libc.so.6", model.LIBDIR + "/ld-linux-x86-64.so.2"]))
    if exe not in h.files:
        h.copy(h.program, exe)


@fault("VG202", B, B_LATE, consequences=[], may=["VG512", "VG301"], touches=["unit", "snap"],
       says=["snap.ollama.listener.service"])
def snap_serves(h):
    """The unit is stopped; the snap's service serves on the port."""
    h.list_units["snap.ollama.listener.service"] = \
        "loaded active running Service for snap application ollama.listener"
    _another(h, "/snap/ollama/105/bin/ollama", "/system.slice/snap.ollama.listener.service", 0)


@fault("VG202", C, consequences=[], may=["VG301"], touches=["unit"])
def shell_serves(h):
    """The unit is stopped; somebody's shell runs the server that serves."""
    _another(h, h.program, "/user.slice/user-1000.slice/session-4.scope", 1000)


@fault("VG202", A, consequences=[], may=["VG301"], touches=["unit"])
def user_unit_serves(h):
    """The system's unit is stopped; a user's unit of the same name serves."""
    _another(h, h.program,
             "/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service", 1000)


@neighbour("VG202", B, C)
def client_in_a_shell(h):
    """The configured unit serves; a shell runs the client."""
    h.processes.append(model.Process(
        3030, h.program, [h.program, "run", "llama3.2"], {"PATH": "/usr/bin:/bin"}, uid=1000,
        cgroup="/user.slice/user-1000.slice/session-4.scope", started=3200,
        objects=[model.LIBDIR + "/libc.so.6", model.LIBDIR + "/ld-linux-x86-64.so.2"]))


@fault("VG203", B, B_DEBUG, A, C, may=NO_SHIMS, touches=["environ", "times"],
       says=["daemon-reload"], never=["VG302"])
def drop_in_not_loaded(h):
    """The drop-in was written after the start, and systemd was not told."""
    h.t_written = h.started + 200
    h.loaded_env, h.dropin_paths, h.need_reload = {}, [], True
    h.lose()


@fault("VG203", B_LATE, may=NO_SHIMS, touches=["environ", "times"], never=["VG302"])
def old_time_hides_it(h):
    """The drop-in was copied with its old time: systemd says that nothing has changed, and its
    environment is not the file's."""
    h.t_written = -5000
    h.loaded_env = {}
    h.lose()


@fault("VG203", C, may=["VG401", "VG504"], touches=["environ", "preload"])
def repaired_and_not_loaded(h):
    """The list was repaired on disk; systemd, and the process, have the old one, in which the
    CUDA shim has a path that does not exist."""
    h.t_written, h.need_reload = h.started + 200, True
    h.loaded_env = {"LD_PRELOAD": h.env["LD_PRELOAD"].replace("libvgpu-cuda.so", "libvgpu-cu.so")}
    h.lose()


@neighbour("VG203", B, C_PATH)
def other_file_in_the_directory(h):
    """A file that is no drop-in was put beside it after the last reload."""
    h.file(h.fragment + ".d/README", "See the handbook.\n", mtime=h.time(h.started + 300))


def _without(h, text=None, paths=None, message=None):
    """systemd took nothing from the drop-in."""
    if text is not None:
        h.dropin_text = text
    h.loaded_env = {}
    if paths is not None:
        h.dropin_paths = paths
    if message:
        h.journal_prefix.append((h.t_reload, "systemd", message))
    h.lose()


@fault("VG204", B, C, may=NO_SHIMS, touches=["dropin"], never=["VG303", "VG203"])
def name_without_conf(h):
    """The drop-in's name ends in .conf.disabled."""
    h.dropin += ".disabled"
    _without(h, paths=[])


@fault("VG204", B_DEBUG, may=NO_SHIMS, touches=["dropin"], never=["VG303"])
def wrong_directory(h):
    """The drop-in lies in ollama.d, not in ollama.service.d."""
    h.dropin = model.SYSTEM + "/ollama.d/vgpu.conf"
    _without(h, paths=[])


@fault("VG204", dict(B, unit="ollama@a.service"), may=NO_SHIMS, touches=["dropin"],
       never=["VG303", "VG414"], never_says=["sudo mv"])
def drop_in_of_another_instance(h):
    """The drop-in is that of another instance of the template, which keeps it."""
    h.dropin = model.SYSTEM + "/ollama@b.service.d/vgpu.conf"
    _without(h, paths=[])


@fault("VG204", A, may=NO_SHIMS, touches=["dropin"], never=["VG303"])
def no_section(h):
    """The drop-in has no section header."""
    _without(h, 'Environment="LD_PRELOAD=%s"\n' % h.env["LD_PRELOAD"], message=h.dropin +
             ":1: Assignment outside of section. Ignoring.")


@fault("VG204", B_LATE, may=NO_SHIMS, touches=["dropin"], never=["VG303"])
def wrong_section(h):
    """The assignment stands under [Unit]."""
    _without(h, '[Unit]\nEnvironment="LD_PRELOAD=%s"\n' % h.env["LD_PRELOAD"], message=h.dropin +
             ":2: Unknown key name 'Environment' in section 'Unit', ignoring.")


@fault("VG204", C, may=NO_SHIMS, touches=["dropin"], never=["VG303"])
def misspelt_key(h):
    """The key is misspelt."""
    _without(h, '[Service]\nEnviroment="LD_PRELOAD=%s"\n' % h.env["LD_PRELOAD"], message=h.dropin +
             ":2: Unknown key name 'Enviroment' in section 'Service', ignoring.")


@fault("VG204", B, may=NO_SHIMS, touches=["dropin"], never=["VG303"])
def open_quote(h):
    """A quote is not closed: the whole line is dropped."""
    text = 'Environment="LD_PRELOAD=%s' % h.env["LD_PRELOAD"]
    _without(h, "[Service]\n" + text + "\n", message=h.dropin + ":2: Invalid syntax, ignoring: " +
             text.split("=", 1)[1])


@fault("VG204", B, may=NO_SHIMS, touches=["dropin"], never=["VG303"])
def masked(h):
    """A link to /dev/null of the same name in /etc masks the drop-in of the package."""
    text = '[Service]\nEnvironment="LD_PRELOAD=%s"\n' % h.env["LD_PRELOAD"]
    h.file("/usr/lib/systemd/system/%s.d/vgpu.conf" % h.unit, text)
    h.link(h.dropin, "/dev/null")
    _without(h, paths=[h.dropin])


@neighbour("VG204", B, C_PATH)
def backup_beside_it(h):
    """An editor's backup lies beside the drop-in that works."""
    h.file(h.dropin + "~", "[Service]\n")


def _later(h, text, name="zz-site.conf"):
    path = h.fragment + ".d/" + name
    h.file(path, text, mtime=h.time(h.t_written))
    return path


@neighbour("VG204", B_REAL, C_REAL, never=["VG204", "VG603", "VG803", "VG804"])
def leftovers_of_a_trial_of_the_shims(h):
    """NVIDIA's driver has the machine; a drop-in and the shims were put aside, and their
    configuration was left."""
    h.file("/etc/vgpu/devices.toml", '[[device]]\nprofile = "h100-80gb-hbm3"\n')
    h.file("/usr/lib64/libvgpu-cuda.so.bak", "x")
    h.file("/etc/systemd/system/ollama.service.d/vgpu.conf.disabled",
           "[Service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n")


@fault("VG205", B, C, may=NO_SHIMS, touches=["dropin"], says=["zz-site.conf"],
       never=["VG302", "VG303"])
def later_drop_in_empties_it(h):
    """A later drop-in sets LD_PRELOAD to nothing."""
    _later(h, '[Service]\nEnvironment="LD_PRELOAD="\n')
    h.loaded_env = dict(h.env, LD_PRELOAD="")
    h.lose()


@fault("VG205", A, may=NO_SHIMS, touches=["dropin"], says=["zz-site.conf"],
       never=["VG302", "VG303"])
def later_drop_in_clears_all(h):
    """A later drop-in has a bare Environment=, which clears every assignment before it."""
    _later(h, '[Service]\nEnvironment=\nEnvironment="OLLAMA_HOST=127.0.0.1:11434"\n')
    h.loaded_env = {"PATH": None, "OLLAMA_HOST": "127.0.0.1:11434"}
    h.lose()


@fault("VG205", B_DEBUG, may=NO_SHIMS, touches=["dropin"], says=["/etc/default/ollama"],
       never=["VG302", "VG303"])
def environment_file_empties_it(h):
    """An EnvironmentFile sets LD_PRELOAD to nothing, and wins over Environment=."""
    h.file("/etc/default/ollama", "OLLAMA_HOST=127.0.0.1:11434\nLD_PRELOAD=\n")
    h.settings["EnvironmentFile"] = ["/etc/default/ollama"]
    h.show_settings.update({"EnvironmentFile": None,
                            "EnvironmentFiles": "/etc/default/ollama (ignore_errors=no)"})
    h.extra_environ = {"OLLAMA_HOST": "127.0.0.1:11434", "LD_PRELOAD": ""}
    h.lose()


@fault("VG205", B_LATE, may=NO_SHIMS, touches=["dropin"], says=["UnsetEnvironment"],
       never=["VG302", "VG303"])
def unset(h):
    """UnsetEnvironment= takes LD_PRELOAD away from the process; systemctl show still has it."""
    h.settings["UnsetEnvironment"] = ["LD_PRELOAD"]
    h.environ = {k: v for k, v in h.process_env.items() if k != "LD_PRELOAD"}
    h.lose()


@neighbour("VG205", B, C)
def later_drop_in_for_something_else(h):
    """A later drop-in and an EnvironmentFile set other variables."""
    _later(h, '[Service]\nEnvironment="OLLAMA_KEEP_ALIVE=1h"\n'
           "EnvironmentFile=-/etc/default/ollama\n")
    h.file("/etc/default/ollama", "OLLAMA_MAX_QUEUE=64\n")
    h.show_settings["EnvironmentFiles"] = "/etc/default/ollama (ignore_errors=yes)"
    h.loaded_env = dict(h.env, OLLAMA_KEEP_ALIVE="1h")
    h.extra_environ = {"OLLAMA_MAX_QUEUE": "64"}


@neighbour("VG205", B, A)
def set_twice_to_the_same(h):
    """The same assignment stands twice, unquoted: both are legal."""
    line = "Environment=LD_PRELOAD=%s\n" % h.env["LD_PRELOAD"]
    h.dropin_text = "[Service]\n" + line + line


@fault("VG206", B, A, C, may=["VG414", "VG504"], touches=["dropin"], never=["VG303"])
def unquoted_space(h):
    """The list is separated by spaces and not quoted: all but the first entry is dropped."""
    entries = h.env["LD_PRELOAD"].split(":")
    h.dropin_lines["LD_PRELOAD"] = "Environment=LD_PRELOAD=" + " ".join(entries)
    h.loaded_env = dict(h.env, LD_PRELOAD=entries[0])
    for entry in entries[1:]:
        h.journal_prefix.append((h.t_reload, "systemd", "%s:2: Invalid environment assignment, "
                                 "ignoring: %s" % (h.dropin, entry)))
    h.lose()


@neighbour("VG206", B, C)
def quoted_spaces(h):
    """The list is separated by spaces, and the assignment is quoted: legal."""
    h.env["LD_PRELOAD"] = h.env["LD_PRELOAD"].replace(":", " ")


def _wrapper(h, path, text):
    h.file(path, text, mode="0755")
    h.exec_start = path
    h.cmdline = [h.program, "serve"]


@fault("VG207", B, C, may=NO_SHIMS, touches=["exec", "environ"], says=["env -i"],
       never=["VG302"])
def script_scrubs(h):
    """ExecStart runs a script that ends in `exec env -i`."""
    _wrapper(h, "/usr/local/bin/ollama-start.sh", "#!/bin/sh\n# A clean start.\n"
             "exec env -i PATH=/usr/bin:/bin HOME=/usr/share/ollama %s serve\n" % h.program)
    h.environ = {"PATH": "/usr/bin:/bin", "HOME": "/usr/share/ollama"}
    h.lose()


@fault("VG207", A, may=NO_SHIMS, touches=["exec", "environ"], never=["VG302"])
def script_unsets(h):
    """ExecStart runs a script that unsets LD_PRELOAD for its own commands."""
    _wrapper(h, "/opt/site/run-ollama", "#!/bin/sh\nunset LD_PRELOAD\nulimit -n 65536\n"
             "exec %s serve\n" % h.program)
    h.environ = {k: v for k, v in h.process_env.items() if k != "LD_PRELOAD"}
    h.lose()


@fault("VG207", B_LATE, may=NO_SHIMS, touches=["exec", "environ"], never=["VG302"])
def env_in_exec_start(h):
    """ExecStart itself is `env -i`."""
    h.exec_start = "/usr/bin/env -i PATH=/usr/bin:/bin HOME=/usr/share/ollama %s serve" % h.program
    h.cmdline = [h.program, "serve"]
    h.environ = {"PATH": "/usr/bin:/bin", "HOME": "/usr/share/ollama"}
    h.lose()


@neighbour("VG207", B, C)
def script_keeps_all(h):
    """ExecStart runs a script that only raises a limit."""
    _wrapper(h, "/usr/local/bin/ollama-start.sh", "#!/bin/sh\nulimit -n 65536\nexec %s serve\n" %
             h.program)


@fault("VG208", B, C, consequences=[], may=["VG307", "VG301"], touches=["program", "state"],
       never=["VG704"])
def not_executable(h):
    """The program was copied without its execute permission."""
    h.files[h.program]["mode"] = "0644"
    h.die("203/EXEC")
    h.crash["exec"] = "%s: Failed to execute %s: Permission denied" % (h.unit, h.program)


@fault("VG208", A, B_LATE, consequences=[], may=["VG307", "VG301", "VG501", "VG508"], touches=["program", "state"],
       never=["VG704"])
def below_a_home(h):
    """The program lies below a home directory that its user cannot enter."""
    old = h.program
    h.program = "/home/operator/ollama/bin/ollama"
    h.copy(old, h.program)
    h.files["/home/operator"].update({"mode": "0700", "uid": 1000, "gid": 1000})
    h.exec_start = h.program + " serve"
    h.die("203/EXEC")
    h.crash["exec"] = "%s: Failed to execute %s: Permission denied" % (h.unit, h.program)


@neighbour("VG208", B, C)
def below_an_open_home(h):
    """The whole installation lies below a home directory that everybody may enter."""
    home = "/home/operator/ollama"
    for path in [p for p in h.files if p == h.program or p.startswith(h.ollama_lib)]:
        entry = dict(h.files[path])
        entry.pop("path")
        h.add(path.replace(h.prefix, home, 1), entry.pop("type"), **entry)
    h.remove(h.program, h.ollama_lib)
    h.program, h.ollama_lib = home + "/bin/ollama", home + "/lib/ollama"
    h.files["/home/operator"].update({"mode": "0755", "uid": 1000, "gid": 1000})
    h.exec_start = h.program + " serve"


@fault("VG209", B_BOUND, consequences=[], may=["VG307", "VG301"], touches=["binds", "state"],
       never=["VG704"])
def bind_source_is_gone(h):
    """The directory that the unit binds was removed: 226/NAMESPACE."""
    h.remove("/var/lib/vgpu/tree")
    h.die("226/NAMESPACE")
    h.crash["exec"] = ("%s: Failed to set up mount namespacing: /run/systemd/unit-root%s: No such "
                       "file or directory" % (h.unit, model.PCI_DIR))


@fault("VG209", C, B, consequences=[], may=["VG307", "VG301"], touches=["binds", "state"],
       never=["VG704"])
def sandbox_path_is_gone(h):
    """ReadWritePaths= names a directory that does not exist."""
    h.settings["ReadWritePaths"] = ["/srv/models"]
    h.die("226/NAMESPACE")
    h.crash["exec"] = ("%s: Failed to set up mount namespacing: /run/systemd/unit-root/srv/models: "
                       "No such file or directory" % h.unit)


@fault("VG209", B_BOUND, C_BOUND, may=["VG601", "VG602"], touches=["binds"])
def colon_not_escaped(h):
    """The colons of the PCI address are not escaped: the bind is ignored, and the service sees
    the machine's real device."""
    bad = "/var/lib/vgpu/tree/gpu0:" + model.PCI_DIR
    h.settings["BindReadOnlyPaths"][1] = bad
    h.show_settings["BindReadOnlyPaths"] = h.settings["BindReadOnlyPaths"][0] + ":rbind"
    h.journal_prefix.append((h.t_reload, "systemd", "%s:3: Invalid option string, ignoring "
                             "setting: %s" % (h.dropin, bad)))
    h.mounts = h.mounts[:1]
    h.lose()


@neighbour("VG209", B_BOUND, C)
def optional_path_is_gone(h):
    """A path with a leading `-` does not exist, and may not."""
    h.settings["ReadWritePaths"] = ["-/srv/models"]


@fault("VG210", B_REAL, C_REAL, may=["VG604"], touches=["sandbox"], says=["PrivateDevices"],
       never=["VG605"])
def private_devices(h):
    """PrivateDevices=yes: the service sees none of /dev/nvidia*, which are there and open."""
    h.settings["PrivateDevices"] = ["yes"]
    h.mounts = ["401 388 0:61 / /dev rw,nosuid,noexec - tmpfs tmpfs rw,size=4096k,mode=755"]
    h.lose()


@fault("VG210", dict(B, shim_dir="/home/operator/vgpu"), may=["VG401", "VG402", "VG504"],
       touches=["sandbox", "shim.dir"], says=["ProtectHome"])
def protect_home(h):
    """ProtectHome=yes hides the shims, which lie below a home directory."""
    h.settings["ProtectHome"] = ["yes"]
    h.mounts = ["402 388 0:62 /systemd/inaccessible/dir /home ro,nosuid,nodev,noexec - tmpfs tmpfs "
                "rw,mode=755"]
    for kind in h.shims:
        h.loader_errors[h.shim(kind)] = "cannot open shared object file"
    h.lose()


@fault("VG210", B_DEBUG, may=["VG401", "VG402", "VG504"], touches=["sandbox", "shim.dir"],
       says=["InaccessiblePaths"])
def inaccessible_paths(h):
    """InaccessiblePaths=/opt hides the shims."""
    h.settings["InaccessiblePaths"] = ["/opt"]
    h.mounts = ["402 388 0:62 /systemd/inaccessible/dir /opt ro,nosuid,nodev,noexec - tmpfs tmpfs "
                "rw,mode=755"]
    for kind in h.shims:
        h.loader_errors[h.shim(kind)] = "cannot open shared object file"
    h.lose()


@fault("VG210", B_REAL, may=["VG604"], touches=["sandbox"], says=["DeviceAllow"])
def device_policy(h):
    """DevicePolicy=closed allows the null devices only."""
    h.settings.update({"DevicePolicy": ["closed"], "DeviceAllow": ["/dev/null rw"]})
    h.lose()


@neighbour("VG210", B, C_PATH, B_REAL)
def harmless_sandbox(h):
    """The sandbox is strict and hides nothing that the GPU needs."""
    h.settings.update({"ProtectSystem": ["full"], "PrivateTmp": ["yes"],
                       "NoNewPrivileges": ["yes"], "ProtectHome": ["yes"]})


@neighbour("VG210", B, C_PATH)
def private_devices_and_shims(h):
    """PrivateDevices=yes, and shims that need no node of /dev."""
    h.settings["PrivateDevices"] = ["yes"]
    h.mounts = ["401 388 0:61 / /dev rw,nosuid,noexec - tmpfs tmpfs rw,size=4096k,mode=755"]


@fault("VG211", B, A, C_PATH, consequences=[], may=["VG301", "VG307"],
       touches=["dropin", "state"], says=["/etc/vgpu/environment"], never=["VG704"])
def environment_file_is_gone(h):
    """An EnvironmentFile that is not optional does not exist: the unit does not start."""
    h.settings["EnvironmentFile"] = ["/etc/vgpu/environment"]
    h.show_settings.update({"EnvironmentFile": None,
                            "EnvironmentFiles": "/etc/vgpu/environment (ignore_errors=no)"})
    h.stopped = {"state": "failed", "result": "resources", "journal": [
        (h.started, "systemd", "%s: Failed to load environment files: No such file or directory" %
         h.unit),
        (h.started, "systemd", "%s: Failed to run 'start' task: No such file or directory" %
         h.unit),
        (h.started, "systemd", "%s: Failed with result 'resources'." % h.unit)]}
    h.show.update({"ExecMainPID": "0", "ExecMainStatus": "0"})


@neighbour("VG211", B, C)
def optional_environment_file_is_gone(h):
    """An EnvironmentFile with a leading `-` does not exist, and may not."""
    h.settings["EnvironmentFile"] = ["-/etc/vgpu/environment"]
    h.show_settings.update({"EnvironmentFile": None,
                            "EnvironmentFiles": "/etc/vgpu/environment (ignore_errors=yes)"})


@fault("VG212", B, C_PATH, roots=[], notes=["VG212"], touches=["stderr"],
       says=["/var/log/ollama.log"])
def error_output_in_a_file(h):
    """Standard error goes to a file, which says that the GPU was found."""
    h.settings["StandardError"] = ["append:/var/log/ollama.log"]
    h.output_file = "/var/log/ollama.log"


@fault("VG212", B, roots=[], notes=["VG212"], verdict="inconclusive", may=["VG705"],
       touches=["stderr"])
def error_output_to_nowhere(h):
    """Standard error goes nowhere: what discovery said is not to be known."""
    h.settings["StandardError"] = ["null"]
    h.discovery = "none"
    h.ps = None


@neighbour("VG212", B, B_PATH)
def error_output_in_the_journal(h):
    """Standard error is sent to the journal in so many words."""
    h.settings["StandardError"] = ["journal"]
