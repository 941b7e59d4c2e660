#include "diag/report/samples.h"

#include "absl/time/civil_time.h"

namespace vgpu::report {
namespace {

using host::Absent;
using host::NotObserved;
using rules::Confidence;

absl::TimeZone Eastern() { return absl::FixedTimeZone(-5 * 60 * 60); }

absl::Time At(int day, int hour, int minute, int second, int millisecond = 0) {
  return absl::FromCivil(absl::CivilSecond(2026, 2, day, hour, minute, second), Eastern()) +
         absl::Milliseconds(millisecond);
}

Report OfTest10(int day, int hour, int minute) {
  Report report;
  report.host = {
      .hostname = std::string("test10"), .observed_at = At(day, hour, minute, 0), .source = "live"};
  report.subject = {.unit = "ollama.service",
                    .pid = Absent{},
                    .ollama_version = std::string("0.16.2"),
                    .era = "B",
                    .era_because = "the version is between v0.12.4 and v0.24.0"};
  report.time_zone = Eastern();
  return report;
}

constexpr char kCpuOnly[] =
    R"(time=2026-02-24T09:41:09.118-05:00 level=INFO source=types.go:60 msg="inference compute" )"
    R"(id=cpu library=cpu compute="" name=cpu description=cpu libdirs=ollama driver="" )"
    R"(pci_id="" type="" total="31.3 GiB" available="29.8 GiB")";

}  // namespace

Report NotRestarted() {
  Report report = OfTest10(24, 10, 12);
  report.subject.pid = 57290;
  report.verdict = Verdict::kProblem;
  report.headline =
      "ollama.service runs since 09:41 without the shims that its drop-in of 09:58 sets: "
      "restart it.";
  report.root_causes = {
      {.code = "VG302",
       .id = "service-started-before-config",
       .title = "The service was started before its configuration was there",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "/proc/57290/environ",
                     .quote =
                         "LANG=en_US.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "
                         "HOME=/usr/share/ollama USER=ollama",
                     .meaning = "The running process has no LD_PRELOAD."},
                    {.source = "systemctl show ollama.service",
                     .line = 214,
                     .quote =
                         "Environment=LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/"
                         "libvgpu-syscall.so:/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so",
                     .meaning = "systemd has loaded one, and would give it to a new process."},
                    {.source = "/proc/57290/maps",
                     .quote = "",
                     .meaning = "None of the four libraries is mapped."}},
       .explains = {"VG704"},
       .fix = {{.command = "sudo systemctl restart ollama.service",
                .why = "A process gets its environment when it starts, and never again.",
                .risk = "Requests that are being answered fail, and loaded models are loaded "
                        "again.",
                .undo = "None is needed: the unit stays as it is."}},
       .expect = {"grep -c libvgpu /proc/$(systemctl show -P MainPID ollama.service)/maps prints "
                  "a number above 0",
                  "journalctl -u ollama.service -b shows msg=\"inference compute\" with "
                  "library=CUDA"}}};
  report.consequences = {{.code = "VG704",
                          .id = "discovered-no-gpu",
                          .title = "Discovery ended with the CPU only",
                          .confidence = Confidence::kCertain,
                          .evidence = {{.source = "journalctl -u ollama.service",
                                        .line = 118,
                                        .quote = kCpuOnly,
                                        .meaning = "This is the last such line of process 57290."}},
                          .explained_by = {"VG302"}}};
  report.working = {{.what = "The PCI device is there: 10de:2331, class 0x030200",
                     .evidence = {{.source = "/sys/bus/pci/devices/0000:00:05.0/device",
                                   .quote = "0x2331",
                                   .meaning = ""}}},
                    {.what = "systemd has loaded what is on disk", .evidence = {}}};
  report.ruled_out = {
      {.code = "VG203",
       .id = "daemon-reload-needed",
       .because = "NeedDaemonReload=no, and the loaded environment is that of the files"},
      {.code = "VG401", .id = "preload-entry-missing", .because = "4 of 4 entries exist"}};
  report.not_observed = {{.what = "environment of the discovery runner",
                          .why = "it lives under a second and is gone",
                          .how = "vgpu-doctor verify"}};
  report.timeline = {
      {.time = At(24, 9, 41, 2, 310),
       .event = "process 57290 starts",
       .source = "/proc/57290/stat"},
      {.time = At(24, 9, 58, 2),
       .event = "the drop-in is written",
       .source = "/etc/systemd/system/ollama.service.d/vgpu.conf"},
      {.time = At(24, 10, 5, 44), .event = "systemd loads its units", .source = "systemctl show"}};
  return report;
}

Report CrashLoop() {
  Report report = OfTest10(26, 5, 58);
  report.host.source = "tree";
  report.verdict = Verdict::kProblem;
  report.headline =
      "Every start of ollama.service crashes: force_load_shim loads a second copy of the shims. "
      "Take the wrapper out of ExecStart.";
  report.root_causes = {
      {.code = "VG207",
       .id = "exec-wrapper",
       .title = "ExecStart runs a wrapper that loads the shims a second time",
       .confidence = Confidence::kLikely,
       .evidence = {{.source = "/etc/systemd/system/ollama.service.d/vgpu.conf",
                     .line = 7,
                     .quote =
                         "ExecStart=/usr/local/bin/force_load_shim /usr/local/bin/ollama serve",
                     .meaning = "The unit starts force_load_shim, and that starts Ollama."},
                    {.source = "/usr/local/bin/force_load_shim",
                     .quote = "/opt/vgpu/lib/libvgpu-cuda.so.1",
                     .meaning =
                         "It names a copy: inode 786451, where LD_PRELOAD names inode 524302."}},
       .explains = {"VG410", "VG307"},
       .fix = {{.command = "sudo systemctl edit ollama.service --drop-in=vgpu",
                .why = "Delete both ExecStart lines: LD_PRELOAD loads the shims by itself.",
                .risk = "None for the running system: the service is down.",
                .undo = "Put the two lines back."},
               {.command = "sudo systemctl daemon-reload",
                .why = "systemd reads the drop-in again.",
                .risk = "",
                .undo = ""},
               {.command = "sudo systemctl restart ollama.service",
                .why = "",
                .risk = "",
                .undo = ""}},
       .expect = {"systemctl is-active ollama.service prints active, a minute later too"}}};
  report.consequences = {
      {.code = "VG410",
       .id = "shim-loaded-twice",
       .title = "Two different files of one shim are loaded",
       .confidence = Confidence::kLikely,
       .evidence = {{.source = "/opt/vgpu/lib/libvgpu-cuda.so.1", .quote = "", .meaning = ""}},
       .explained_by = {"VG207"}},
      {.code = "VG307",
       .id = "crash-loop",
       .title = "The service starts and dies again and again",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "journalctl -u ollama.service",
                     .line = 57,
                     .quote = "ollama.service: Main process exited, code=dumped, status=11/SEGV",
                     .meaning = "14 restarts"}},
       .explained_by = {"VG207", "VG410"}}};
  report.latent = {
      {.code = "VG401",
       .id = "preload-entry-missing",
       .title = "A preload entry names a file that does not exist",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "journalctl -u ollama.service",
                     .line = 56,
                     .quote =
                         "ERROR: ld.so: object '/usr/lib64/libvgpu-syscall.so' from LD_PRELOAD "
                         "cannot be preloaded (cannot open shared object file): ignored.",
                     .meaning = "The loader goes on without it: it does not cause the crash."}},
       .fix = {{.command = "sudo sed -i 's|/usr/lib64/libvgpu-syscall.so:||' "
                           "/etc/systemd/system/ollama.service.d/vgpu.conf",
                .why = "Take the entry out, or install the library.",
                .risk = "",
                .undo = "Put the entry back."}}}};
  report.not_observed = {
      {.what = "the process", .why = "no process of the service lives", .how = ""}};
  return report;
}

Report SilentLog() {
  Report report = OfTest10(26, 6, 33);
  report.subject.pid = 154237;
  report.verdict = Verdict::kInconclusive;
  report.headline =
      "Nothing is known to be wrong, but the log begins after discovery: look at the next start, "
      "or run vgpu-doctor verify.";
  report.notes = {
      {.code = "VG510",
       .id = "library-path-not-honoured",
       .title = "OLLAMA_LIBRARY_PATH in the unit has no effect",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "/etc/systemd/system/ollama.service.d/vgpu.conf",
                     .line = 4,
                     .quote = "Environment=OLLAMA_LIBRARY_PATH=/usr/local/lib/ollama:"
                              "/usr/local/lib/ollama/cuda_v12",
                     .meaning = "The server overwrites it for its child."}}},
      {.code = "VG705",
       .id = "discovery-not-in-log",
       .title = "The log at hand cannot show discovery",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "journalctl -u ollama.service",
                     .line = 1,
                     .quote = "[GIN] 2026/02/26 - 06:20:11 | 200 |      41.208\u00b5s |       "
                              "127.0.0.1 | GET      \"/api/version\"",
                     .meaning = "The first record is seven minutes younger than the process."}}}};
  report.working = {{.what = "All four shims are mapped",
                     .evidence = {{.source = "/proc/154237/maps",
                                   .line = 31,
                                   .quote = "7f1c2a400000-7f1c2a41d000 r-xp 00000000 08:01 524302"
                                            "                     /usr/lib64/libvgpu-cuda.so",
                                   .meaning = ""}}}};
  report.not_observed = {{.what = "the result of discovery",
                          .why = "the journal begins at 06:20, the process at 06:13",
                          .how = "journalctl -u ollama.service after a restart, or vgpu-doctor "
                                 "verify"},
                         {.what = "environment of the discovery runner",
                          .why = "it lives under a second and is gone",
                          .how = "vgpu-doctor verify"}};
  return report;
}

Report HealthyWithLatentFault() {
  Report report = OfTest10(25, 14, 3);
  report.subject.pid = 91544;
  report.verdict = Verdict::kHealthy;
  report.headline =
      "Ollama found the GPU. Before the next start, put libvgpu-nvml.so back: it was deleted "
      "after this process had loaded it.";
  report.latent = {
      {.code = "VG306",
       .id = "stale-library-in-memory",
       .title = "A mapped shim is gone from the disk",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "/proc/91544/maps",
                     .line = 44,
                     .quote = "7f0a11c00000-7f0a11c19000 r-xp 00002000 08:01 524310"
                              "                     /usr/lib64/libvgpu-nvml.so (deleted)",
                     .meaning = ""}},
       .fix = {{.command = "sudo install -m 0755 /opt/vgpu/lib/libvgpu-nvml.so /usr/lib64/",
                .why = "The next process finds the library where LD_PRELOAD names it.",
                .risk = "",
                .undo = "sudo rm /usr/lib64/libvgpu-nvml.so"}},
       .expect = {"test -e /usr/lib64/libvgpu-nvml.so"}}};
  report.working = {
      {.what = "Discovery found NVIDIA H100 80GB HBM3",
       .evidence = {
           {.source = "journalctl -u ollama.service",
            .line = 203,
            .quote = R"(time=2026-02-25T13:58:41.007-05:00 level=INFO source=types.go:42 )"
                     R"(msg="inference compute" id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b )"
                     R"(library=CUDA compute=9.0 name=CUDA0 description="NVIDIA H100 80GB HBM3" )"
                     R"(libdirs=ollama,cuda_v12 driver=12.8 pci_id=0000:00:05.0 type=discrete )"
                     R"(total="80.0 GiB" available="78.0 GiB")",
            .meaning = ""}}}};
  report.ruled_out = {
      {.code = "VG410", .id = "shim-loaded-twice", .because = "each shim is mapped from one file"}};
  return report;
}

Report TwoCauses() {
  Report report;
  report.host = {.hostname = NotObserved{"the log names no host"},
                 .observed_at = NotObserved{"a log has no time of its own"},
                 .source = "log"};
  report.subject = {.unit = "",
                    .pid = NotObserved{"only a log was given"},
                    .ollama_version = NotObserved{"no line names the version"},
                    .era = "unknown",
                    .era_because = "no line is particular to one era"};
  report.verdict = Verdict::kProblem;
  report.headline =
      "OLLAMA_LLM_LIBRARY names cuda_v11, which is not installed: unset it. There is 1 more root "
      "cause: VG611 (CUDA cannot be initialised).";
  report.root_causes = {
      {.code = "VG506",
       .id = "llm-library-mismatch",
       .title = "OLLAMA_LLM_LIBRARY names no variant that exists",
       .confidence = Confidence::kCertain,
       .evidence = {{.source = "ollama.log",
                     .line = 9,
                     .quote = R"(msg="skipping available library at user's request" )"
                              R"(requested=cuda_v11 libDir=/usr/lib/ollama/cuda_v12)",
                     .meaning = "The only CUDA variant was skipped."}},
       .fix = {{.command = "sudo systemctl edit ollama.service",
                .why = "Delete the line that sets OLLAMA_LLM_LIBRARY.",
                .risk = "",
                .undo = ""}}},
      {.code = "VG611",
       .id = "cuda-not-initialised",
       .title = "CUDA cannot be initialised",
       .confidence = Confidence::kPossible,
       .evidence = {{.source = "ollama.log",
                     .line = 14,
                     .quote = "ggml_cuda_init: failed to initialize CUDA: initialization error",
                     .meaning = ""}}}};
  report.time_zone = absl::UTCTimeZone();
  return report;
}

Report Hostile(const std::string& text) {
  const std::vector<rules::Evidence> evidence = {
      {.source = text, .line = 3, .quote = text, .meaning = text},
      {.source = text, .quote = text, .meaning = ""}};
  const std::vector<rules::FixStep> fix = {
      {.command = text, .why = text, .risk = text, .undo = text}};
  const Item item = {.code = text,
                     .id = text,
                     .title = text,
                     .confidence = Confidence::kLikely,
                     .evidence = evidence,
                     .explains = {text, "VG704"},
                     .explained_by = {text},
                     .fix = fix,
                     .expect = {text}};
  Report report;
  report.host = {.hostname = std::string(text), .observed_at = NotObserved{text}, .source = text};
  report.subject = {.unit = text,
                    .pid = NotObserved{text},
                    .ollama_version = NotObserved{text},
                    .era = text,
                    .era_because = text};
  report.verdict = Verdict::kProblem;
  report.headline = text;
  report.root_causes = {item, item};
  report.consequences = {item};
  report.latent = {item};
  report.notes = {item};
  report.working = {{.what = text, .evidence = evidence}};
  report.ruled_out = {{.code = text, .id = text, .because = text}};
  report.not_observed = {{.what = text, .why = text, .how = text}};
  report.timeline = {{.time = absl::InfiniteFuture(), .event = text, .source = text},
                     {.time = absl::InfinitePast(), .event = text, .source = text}};
  report.time_zone = absl::UTCTimeZone();
  return report;
}

std::vector<std::pair<std::string, Report>> Samples() {
  return {{"not-restarted", NotRestarted()},
          {"crash-loop", CrashLoop()},
          {"silent-log", SilentLog()},
          {"healthy-with-latent-fault", HealthyWithLatentFault()},
          {"two-causes", TwoCauses()}};
}

}  // namespace vgpu::report
