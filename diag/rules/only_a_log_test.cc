// What rules make of a log alone: nothing but its lines was observed.

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/from_log.h"
#include "diag/host/fake_host.h"
#include "diag/rules/catalogue.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

facts::Facts Of(absl::string_view text) {
  return facts::FromLog(*host::StringSource(std::string(text)), {.name = "case.txt"});
}

std::string Record(absl::string_view rest) {
  return absl::StrCat("time=2026-02-26T06:13:22.353Z ", rest, "\n");
}

std::string Config(absl::string_view env) {
  return Record(absl::StrCat("level=INFO source=routes.go:1663 msg=\"server config\" env=\"map[",
                             env, "]\""));
}

std::string Listening(absl::string_view version) {
  return Record(
      absl::StrCat("level=INFO source=routes.go:1718 msg=\"Listening on "
                   "127.0.0.1:11434 (version ",
                   version, ")\""));
}

std::string Debug(absl::string_view rest) { return Record(absl::StrCat("level=DEBUG ", rest)); }

const std::string& Cpu() {
  static const std::string& line =
      *new std::string(Record("level=INFO source=types.go:60 msg=\"inference compute\" id=cpu "
                              "library=cpu total=\"3.8 GiB\""));
  return line;
}

std::string Gpu(absl::string_view library) {
  return Record(
      absl::StrCat("level=INFO source=types.go:42 msg=\"inference compute\" id=0 "
                   "library=",
                   library, " description=\"NVIDIA H100\" total=\"80.0 GiB\""));
}

std::map<std::string, std::string> RuledOut(const facts::Facts& facts) {
  std::map<std::string, std::string> ruled_out;
  for (const Rule& rule : AllRules()) {
    const Kind kind = FindCode(rule.code)->kind;
    if (kind != Kind::kCause && kind != Kind::kRisk) continue;  // nothing is said of others
    const Judgement judgement = rule.judge(facts);
    if (const auto* against = std::get_if<Contradicted>(&judgement)) {
      ruled_out[std::string(rule.code)] = against->because;
    }
  }
  return ruled_out;
}

// Of an empty log every reason would come from elsewhere.
TEST(OnlyALog, OfAnEmptyOneNothingIsRuledOut) {
  for (const auto& [code, because] : RuledOut(Of(""))) ADD_FAILURE() << code << ": " << because;
}

// What stands on the host, and in no log: its unit, its files, its device.
TEST(OnlyALog, WhatNoLogCanShowIsNotRuledOut) {
  const std::string head = Config("OLLAMA_DEBUG:DEBUG-4") + Listening("0.16.2");
  for (const std::string& log : {head, head + Cpu(), head + Gpu("CUDA"), head + Gpu("Vulkan")}) {
    const auto ruled_out = RuledOut(Of(log));
    for (const Rule& rule : AllRules()) {
      const bool of_the_host = rule.code < "VG700" && rule.code != "VG415";
      const auto found = ruled_out.find(std::string(rule.code));
      if (!of_the_host || found == ruled_out.end()) continue;
      // A discovery that worked speaks for what it needs, and an error of CUDA's for itself.
      EXPECT_TRUE(absl::StrContains(found->second, "discovery") ||
                  absl::StrContains(found->second, "the log"))
          << rule.code << ": " << found->second;
    }
    for (const char* code : {"VG204", "VG304", "VG305", "VG513", "VG601", "VG602", "VG604", "VG605",
                             "VG606", "VG804"}) {
      EXPECT_EQ(ruled_out.count(code), 0u) << code << ": " << ruled_out.at(code);
    }
  }
}

TEST(OnlyALog, ACpuResultIsJudgedWithoutAProcess) {
  const facts::Facts facts = Of(Config("") + Listening("0.16.2") + Cpu());
  const Judgement no_gpu = DiscoveredNoGpu(facts);
  ASSERT_NE(AsHolds(no_gpu), nullptr);
  EXPECT_TRUE(absl::StartsWith(AsHolds(no_gpu)->headline, "Discovery found no GPU"));
  EXPECT_EQ(AsHolds(DiscoveredBeforeChange(facts)), nullptr);
}

TEST(OnlyALog, TheServersFirstLineTellsItsEnvironment) {
  const std::string rest = Listening("0.16.2") + Cpu();
  const Judgement hidden = VisibleDevicesHide(Of(Config("CUDA_VISIBLE_DEVICES:-1") + rest));
  ASSERT_NE(AsHolds(hidden), nullptr);
  EXPECT_EQ(AsHolds(hidden)->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*AsHolds(hidden), "CUDA_VISIBLE_DEVICES=-1"), nullptr);
  // An empty value is printed like none.
  EXPECT_EQ(AsHolds(VisibleDevicesHide(Of(Config("CUDA_VISIBLE_DEVICES:") + rest))), nullptr);
  // A number may name a device or not.
  EXPECT_EQ(AsHolds(VisibleDevicesHide(Of(Config("CUDA_VISIBLE_DEVICES:1") + rest))), nullptr);
  const Judgement number = VisibleDevicesHide(Of(
      Config("CUDA_VISIBLE_DEVICES:1") + Listening("0.16.2") +
      "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected\n" + Cpu()));
  ASSERT_NE(AsHolds(number), nullptr);
  EXPECT_EQ(AsHolds(number)->confidence, Confidence::kPossible);
}

TEST(OnlyALog, EveryVariantIsSkipped) {
  const std::string head =
      Config("OLLAMA_DEBUG:DEBUG OLLAMA_LLM_LIBRARY:cuda") + Listening("0.16.2");
  const std::string skip = Debug(
      "source=runner.go:98 msg=\"skipping available library at user's request\" requested=cuda "
      "libDir=/usr/local/lib/ollama/cuda_v12");
  const Judgement judgement = LlmLibraryMismatch(Of(head + skip + Cpu()));
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "OLLAMA_LLM_LIBRARY=cuda"), nullptr);
  // The variant of that name was tried: the others are skipped as they should be.
  const std::string took = Debug(
      "source=runner.go:437 msg=\"bootstrap discovery took\" duration=30ms "
      "OLLAMA_LIBRARY_PATH=\"[/usr/local/lib/ollama /usr/local/lib/ollama/cuda]\"");
  EXPECT_EQ(AsHolds(LlmLibraryMismatch(Of(head + skip + took + Cpu()))), nullptr);
}

TEST(OnlyALog, WhatWasSkippedNamesTheVariableToo) {
  const std::string skip = Debug(
      "source=runner.go:98 msg=\"skipping available library at user's request\" "
      "requested=cuda_v11 libDir=/usr/local/lib/ollama/cuda_v12");
  const Judgement judgement = LlmLibraryMismatch(Of(skip + Cpu()));
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(absl::StartsWith(AsHolds(judgement)->headline, "OLLAMA_LLM_LIBRARY=cuda_v11 "));
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);  // the beginning is missing
  // The variant of that name may have been tried before the first line.
  const std::string other = Debug(
      "source=runner.go:98 msg=\"skipping available library at user's request\" "
      "requested=cuda_v12 libDir=/usr/local/lib/ollama/cuda_v13");
  const Judgement possible = LlmLibraryMismatch(Of(other + Cpu()));
  ASSERT_NE(AsHolds(possible), nullptr);
  EXPECT_EQ(AsHolds(possible)->confidence, Confidence::kPossible);
  EXPECT_EQ(AsHolds(LlmLibraryMismatch(Of(skip + Gpu("CUDA")))), nullptr);
}

TEST(OnlyALog, ANameThatNoReleaseHasIsNamedAtAnyLevel) {
  const auto judge = [](absl::string_view name, const std::string& rest) {
    return LlmLibraryMismatch(
        Of(Config(absl::StrCat("OLLAMA_DEBUG:INFO OLLAMA_LLM_LIBRARY:", name)) +
           Listening("0.16.2") + rest));
  };
  const Judgement judgement = judge("cuda_v11", Cpu());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
  // What is installed is not known, and these may be.
  EXPECT_EQ(AsHolds(judge("cuda_v12", Cpu())), nullptr);
  EXPECT_EQ(AsHolds(judge("cuda_v11", Gpu("CUDA"))), nullptr);
  // A backend was opened: nothing was skipped.
  EXPECT_EQ(AsHolds(judge("cuda_v11",
                          "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable "
                          "device is detected\n" +
                              Cpu())),
            nullptr);
}

TEST(OnlyALog, WithoutAPrefixItMayBeAShellsOrAServices) {
  const Judgement judgement = LlmLibraryMismatch(
      Of(Config("OLLAMA_DEBUG:INFO OLLAMA_LLM_LIBRARY:cuda_v11") + Listening("0.16.2") + Cpu()));
  ASSERT_NE(AsHolds(judgement), nullptr);
  const std::vector<FixStep>& fix = AsHolds(judgement)->fix;
  ASSERT_GE(fix.size(), 3u);
  EXPECT_EQ(fix[0].command, "unset OLLAMA_LLM_LIBRARY");
  EXPECT_TRUE(absl::StrContains(fix[0].why, "shell"));
  EXPECT_TRUE(absl::StrContains(fix[1].command, "UnsetEnvironment=OLLAMA_LLM_LIBRARY"));
  EXPECT_TRUE(absl::StrContains(fix[1].why, "service"));
  EXPECT_TRUE(absl::StrContains(fix.back().command, "systemctl restart"));
}

// systemd's words, as a log of the unit has them.
std::string SystemdLine(absl::string_view words) {
  return absl::StrCat("Feb 26 06:13:20 box systemd[1]: ", words, "\n");
}

TEST(OnlyALog, SystemdSaysThatAValueIsCut) {
  constexpr absl::string_view kDropInLine = "/etc/systemd/system/ollama.service.d/vgpu.conf:3: ";
  const std::string said = SystemdLine(absl::StrCat(
      kDropInLine, "Invalid environment assignment, ignoring: /usr/lib64/libvgpu-cuda.so"));
  const std::string rest = Config("") + Listening("0.16.2");
  const Judgement judgement = EnvironmentValueCut(Of(said + rest + Cpu()));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
  EXPECT_TRUE(absl::StrContains(holds->headline, "vgpu.conf:3")) << holds->headline;
  EXPECT_TRUE(absl::StrContains(holds->headline, "/usr/lib64/libvgpu-cuda.so"));
  ASSERT_EQ(holds->fix.size(), 3u);
  EXPECT_EQ(holds->fix[0].command, "sudoedit /etc/systemd/system/ollama.service.d/vgpu.conf");
  // Where the GPU was found nothing of it was needed, and a word that is no library may be
  // anything.
  const Judgement works = EnvironmentValueCut(Of(said + rest + Gpu("CUDA")));
  ASSERT_NE(AsHolds(works), nullptr);
  EXPECT_EQ(AsHolds(works)->acts, Acts::kNextStart);
  const Judgement word = EnvironmentValueCut(
      Of(SystemdLine(absl::StrCat(kDropInLine, "Invalid environment assignment, ignoring: b")) +
         rest + Cpu()));
  ASSERT_NE(AsHolds(word), nullptr);
  EXPECT_EQ(AsHolds(word)->acts, Acts::kNextStart);
  EXPECT_EQ(AsHolds(word)->confidence, Confidence::kPossible);
  // Of another unit it says nothing of this one.
  EXPECT_EQ(AsHolds(EnvironmentValueCut(
                Of(SystemdLine("Started ollama.service - Ollama Service.") +
                   SystemdLine("/etc/systemd/system/other.service:3: Invalid environment "
                               "assignment, ignoring: /usr/lib64/a.so") +
                   rest + Cpu()))),
            nullptr);
}

TEST(OnlyALog, TheChildNamesTheLibraryThatItLacks) {
  const std::string failed =
      "0.00.006.542 E load_backend: failed to load /usr/local/lib/ollama/cuda_v13/"
      "libggml-cuda.so: libcuda.so.1: cannot open shared object file: No such file\n";
  const std::string head = Config("OLLAMA_DEBUG:DEBUG-4") + Listening("0.31.2") + failed;
  const Judgement judgement = BackendDependencyMissing(Of(head + Cpu()));
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(absl::StartsWith(AsHolds(judgement)->headline, "libcuda.so.1"));
  EXPECT_EQ(AsHolds(BackendDependencyMissing(Of(head + Gpu("CUDA")))), nullptr);
}

// Ollama 0.6, whose discovery opens no backend.
std::string RunnerOf(absl::string_view layers, absl::string_view system) {
  return Config("") + Listening("0.6.5") + Gpu("cuda") +
         Record(absl::StrCat("level=INFO source=server.go:405 msg=\"starting llama server\" "
                             "cmd=\"/usr/bin/ollama runner --model /m ",
                             layers, " --port 1\"")) +
         Record(absl::StrCat("level=INFO source=ggml.go:109 msg=system ", system));
}

TEST(OnlyALog, ARunnerWithoutABackendForCuda) {
  const Judgement judgement =
      RunnerLostTheBackend(Of(RunnerOf("--n-gpu-layers 33", "CPU.0.AVX=1 compiler=cgo(gcc)")));
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
  EXPECT_EQ(AsHolds(RunnerLostTheBackend(
                Of(RunnerOf("--n-gpu-layers 33", "CPU.0.AVX=1 CUDA.0.ARCHS=500,600")))),
            nullptr);
  // No layer was meant for the GPU: the model does not fit, or was told not to use it.
  EXPECT_EQ(AsHolds(RunnerLostTheBackend(Of(RunnerOf("--threads 8", "CPU.0.AVX=1")))), nullptr);
}

TEST(OnlyALog, ACodeInFrontOfTheNextRecord) {
  const std::string lost =
      "cuda driver library failed to get device context 800" +
      Record("level=WARN source=gpu.go:434 msg=\"error looking up nvidia GPU memory\"");
  const facts::Facts facts = Of(Config("") + Listening("0.9.1") + Gpu("cuda") + lost);
  EXPECT_FALSE(facts.FoundGpu().value_or(true));
  ASSERT_NE(AsHolds(CudaInitError(facts)), nullptr);
  // It may be a container that lost its devices: nothing here says that it is none.
  EXPECT_EQ(Lacks(ContainerWithoutGpu(facts)), "whether the server runs in a container");
}

TEST(OnlyALog, AWslLibraryInTheLog) {
  const Judgement judgement = DriverAndContainerRuntimeDiffer(
      Of(Config("") + Listening("0.3.11") +
         Record("level=INFO source=gpu.go:568 msg=\"unable to load cuda driver library\" "
                "library=/usr/lib/wsl/lib/libcuda.so.1 error=\"cuda driver library init failure: "
                "500\"") +
         Cpu()));
  ASSERT_NE(AsHolds(judgement), nullptr);
}

TEST(OnlyALog, ADriverThatRefusesTheBackendsCode) {
  const Judgement judgement = DriverTooOld(Of(Config("") + Listening("0.30.0") + Gpu("CUDA") +
                                              "CUDA error: device kernel image is invalid\n"));
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
}

TEST(OnlyALog, LibrariesWithoutLlamaServerAreOfAnOlderRelease) {
  const auto with_dirs = [](absl::string_view dirs) {
    return Of(
        Config("") + Listening("0.30.2") +
        Record(absl::StrCat("level=INFO source=runner.go:500 msg=\"failure during llama-server GPU "
                            "discovery\" OLLAMA_LIBRARY_PATH=\"[",
                            dirs,
                            "]\" extra_envs=map[] error=\"llama-server binary not found (checked: "
                            "/l/llama-server). Run 'cmake' first\" detail=\"\"")) +
        Cpu());
  };
  const Judgement judgement = MixedInstalls(with_dirs("/l /l/cuda_v12"));
  ASSERT_NE(AsHolds(judgement), nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
  EXPECT_TRUE(absl::StrContains(AsHolds(judgement)->headline, "no llama-server"));
  // Without a variant there may be no library directory at all.
  EXPECT_EQ(AsHolds(MixedInstalls(with_dirs("/usr/local/bin"))), nullptr);
}

// The loader's own words name the entries, and leave open why they could not be opened.
TEST(OnlyALog, EntriesThatTheLoaderPassedOverAreNamed) {
  const std::string line =
      "ERROR: ld.so: object '/root/vgpu/libvgpu-cuda.so' from LD_PRELOAD cannot be preloaded "
      "(cannot open shared object file): ignored.\n";
  const std::string head = Config("OLLAMA_DEBUG:INFO") + Listening("0.16.2");
  const Judgement judgement = PreloadEntryMissing(Of(line + line + head + Cpu()));
  const Holds* holds = std::get_if<Holds>(&judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].quote, "libvgpu-cuda.so"));
  EXPECT_TRUE(absl::StrContains(holds->headline, "/root/vgpu/libvgpu-cuda.so is listed"))
      << holds->headline;
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
  EXPECT_EQ(holds->fix[0].command, "namei -l /root/vgpu/libvgpu-cuda.so");

  for (const char* other :
       {"ERROR: ld.so: object '/a.so' from LD_PRELOAD cannot be preloaded (wrong ELF class: "
        "ELFCLASS32): ignored.\n",
        "cannot be preloaded (cannot open shared object file)\n"}) {
    const Judgement none = PreloadEntryMissing(Of(other + head + Cpu()));
    EXPECT_EQ(std::get_if<Holds>(&none), nullptr) << other;
  }
}

}  // namespace
}  // namespace vgpu::rules
