#include "diag/diagnosis/diagnosis.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::diagnosis {
namespace {

using report::Item;
using report::Report;
using report::Verdict;
using rules::Acts;
using rules::CannotTell;
using rules::Confidence;
using rules::Contradicted;
using rules::Holds;
using rules::HostBuilder;

Judged Finding(std::string code, std::vector<std::string> explains = {}, Acts acts = Acts::kNow) {
  Holds holds;
  holds.confidence = Confidence::kLikely;
  holds.acts = acts;
  holds.headline = absl::StrCat(code, " it is.");
  holds.evidence = {{"/etc/x", 1, "quote", "meaning"}};
  holds.explains = std::move(explains);
  return {std::move(code), holds};
}

std::vector<std::string> Codes(const std::vector<Item>& items) {
  std::vector<std::string> codes;
  for (const Item& item : items) codes.push_back(item.code);
  return codes;
}

using Names = std::vector<std::string>;

Report Explained(const std::vector<Judged>& judged,
                 const facts::Facts& facts = HostBuilder().FoundNoGpu().Gather()) {
  Report report;
  Explain(facts, judged, report);
  return report;
}

Judged Found(std::string code, Confidence confidence, std::vector<std::string> explains) {
  Judged judged = Finding(std::move(code), std::move(explains));
  std::get<Holds>(judged.judgement).confidence = confidence;
  return judged;
}

// --- what explains what

TEST(ExplainTest, AConsequenceFoldsIntoItsCause) {
  const Report report = Explained({Finding("VG302", {"VG704"}), Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG302"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG704"});
  EXPECT_EQ(report.consequences[0].explained_by, Names{"VG302"});
  EXPECT_EQ(report.root_causes[0].explains, Names{"VG704"});
  EXPECT_EQ(report.verdict, Verdict::kProblem);
  EXPECT_EQ(report.headline, "VG302 it is.");
  EXPECT_EQ(report::ExitCode(report.verdict), 1);
}

TEST(ExplainTest, ThroughTwoSteps) {
  const Report report = Explained({Finding("VG207", {"VG410"}), Finding("VG307", {"VG301"}),
                                   Finding("VG410", {"VG307"}), Finding("VG301")});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG207"});
  EXPECT_EQ(Codes(report.consequences), (Names{"VG307", "VG410", "VG301"}));
  EXPECT_EQ(report.consequences[2].explained_by, (Names{"VG207", "VG307", "VG410"}));
}

TEST(ExplainTest, IndependentFaultsAreBothRootsEarliestLayerFirst) {
  const Report report =
      Explained({Finding("VG302", {"VG704"}), Finding("VG502", {"VG704"}), Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), (Names{"VG302", "VG502"}));
  EXPECT_EQ(report.consequences[0].explained_by, (Names{"VG302", "VG502"}));
  EXPECT_EQ(report.headline, absl::StrCat("VG302 it is. There is 1 more root cause: VG502 (",
                                          report.root_causes[1].title, ")."));
}

TEST(ExplainTest, TheHeadlineNamesAllRootCausesEachOnce) {
  const Report three = Explained({Finding("VG203", {"VG704"}), Finding("VG506", {"VG704"}),
                                  Finding("VG507", {"VG704"}), Finding("VG704")});
  EXPECT_EQ(three.headline, absl::StrCat("VG203 it is. There are 2 more root causes: VG506 (",
                                         three.root_causes[1].title, "), VG507 (",
                                         three.root_causes[2].title, ")."));
  // Those that would explain the same are named by what says so.
  const Report tie =
      Explained({Found("VG611", Confidence::kPossible, {"VG704"}),
                 Found("VG613", Confidence::kPossible, {"VG704"}), Finding("VG704")});
  ASSERT_EQ(Codes(tie.root_causes), (Names{"VG611", "VG613"}));
  EXPECT_TRUE(absl::StrContains(tie.headline, "VG613 (")) << tie.headline;
  EXPECT_FALSE(absl::StrContains(tie.headline, "more root cause")) << tie.headline;
}

TEST(ExplainTest, WhatNoOtherCodeCanBeWhyOfIsARootToo) {
  Judged missing = Finding("VG504", {"VG704"});
  std::get<Holds>(missing.judgement).independent = true;
  const Report report =
      Explained({Finding("VG304", {"VG504", "VG704"}), missing, Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), (Names{"VG304", "VG504"}));
  EXPECT_EQ(report.root_causes[0].explains, Names{"VG704"});
  EXPECT_TRUE(report.root_causes[1].explained_by.empty());
}

TEST(ExplainTest, OfTwoThatExplainEachOtherTheEarlierLayerIsTheCause) {
  const Report report = Explained({Finding("VG203", {"VG401"}), Finding("VG401", {"VG203"})});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG203"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG401"});
}

TEST(ExplainTest, WhatActsAfterTheNextStartExplainsNothingOfToday) {
  const Report report =
      Explained({Finding("VG207", {"VG704"}, Acts::kNextStart), Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG704"});
  EXPECT_EQ(Codes(report.latent), Names{"VG207"});
}

TEST(ExplainTest, NorDoesAChainGoThroughIt) {
  const Report report =
      Explained({Finding("VG203", {"VG207"}), Finding("VG207", {"VG704"}, Acts::kNextStart),
                 Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), (Names{"VG203", "VG704"}));
  EXPECT_EQ(Codes(report.consequences), Names{"VG207"});
}

TEST(ExplainTest, ASymptomThatNothingExplainsStandsAsTheCause) {
  EXPECT_EQ(Codes(Explained({Finding("VG307", {"VG301"})}).root_causes), Names{"VG307"});
}

TEST(ExplainTest, SomeSymptomsNeverStandAlone) {
  const Report report = Explained({Finding("VG708")});
  EXPECT_TRUE(report.root_causes.empty());
  EXPECT_EQ(Codes(report.consequences), Names{"VG708"});
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
}

TEST(ExplainTest, ANoteIsNeverARootAndExplainsNothing) {
  const Report report = Explained({Finding("VG510", {"VG704"}), Finding("VG704")});
  EXPECT_EQ(Codes(report.notes), Names{"VG510"});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG704"});
}

TEST(ExplainTest, ARiskIsLatent) {
  EXPECT_EQ(Codes(Explained({Finding("VG101")}).latent), Names{"VG101"});
}

TEST(ExplainTest, RuledOutAreCausesAndNoNotes) {
  const Report report = Explained({{"VG401", Contradicted{"5 of 5 entries exist"}},
                                   {"VG411", Contradicted{"order"}},
                                   {"VG704", Contradicted{"a GPU"}}});
  ASSERT_EQ(report.ruled_out.size(), 1u);
  EXPECT_EQ(report.ruled_out[0].code, "VG401");
  EXPECT_EQ(report.ruled_out[0].because, "5 of 5 entries exist");
}

TEST(ExplainTest, WhatTwoRulesLackIsSaidOnce) {
  const CannotTell lacks{"the environment", "permission denied", "sudo"};
  const Report report = Explained({{"VG302", lacks}, {"VG303", lacks}});
  ASSERT_EQ(report.not_observed.size(), 1u);
  EXPECT_EQ(report.not_observed[0].why, "permission denied");
}

TEST(ExplainTest, AnUnknownCodeIsPassedOver) {
  EXPECT_TRUE(Explained({Finding("VG999")}).root_causes.empty());
}

// --- what works decides

TEST(ExplainTest, AFaultBesideAGpuThatWasFoundIsLatent) {
  const Report report = Explained({Finding("VG401", {"VG704"})}, HostBuilder().Gather());
  EXPECT_EQ(report.verdict, Verdict::kHealthy);
  EXPECT_EQ(report::ExitCode(report.verdict), 0);
  EXPECT_EQ(Codes(report.latent), Names{"VG401"});
  EXPECT_TRUE(absl::StrContains(report.headline, "NVIDIA H100 80GB HBM3 through CUDA"));
  EXPECT_TRUE(absl::StrContains(report.headline, "repair VG401"));
}

TEST(ExplainTest, InEraATheServersLineSaysNothingAboutTheRunnersLibraries) {
  const facts::Facts facts = HostBuilder().EraA().Gather();
  EXPECT_EQ(Codes(Explained({Finding("VG502")}, facts).root_causes), Names{"VG502"});
  EXPECT_EQ(Codes(Explained({Finding("VG401")}, facts).latent), Names{"VG401"});
  EXPECT_EQ(Codes(Explained({Finding("VG502")}, HostBuilder().Gather()).latent), Names{"VG502"});
}

TEST(ExplainTest, HealthyNeedsPositiveEvidence) {
  const Report report = Explained({}, HostBuilder().SetJournal("").Gather());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_EQ(report::ExitCode(report.verdict), 3);
}

TEST(ExplainTest, AGpuThroughAnotherLibraryIsNotHealthy) {
  HostBuilder machine;
  machine.SetLog({rules::kServerConfigLine, rules::kListeningLine,
                  "time=2026-02-24T10:06:00.671-05:00 level=INFO msg=\"inference compute\" id=0 "
                  "library=Vulkan name=Vulkan0 description=\"llvmpipe\""});
  const Report report = Explained({}, machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_EQ(report.headline, "Discovery of process 57290 found Vulkan, and nothing through CUDA.");
}

// --- whole machines

TEST(DiagnoseTest, Healthy) {
  const Report report = Diagnose(HostBuilder().Gather());
  EXPECT_EQ(report.verdict, Verdict::kHealthy);
  EXPECT_EQ(report.subject.era, "B");
  EXPECT_TRUE(report.latent.empty());
  EXPECT_TRUE(report.notes.empty());
}

TEST(DiagnoseTest, DropInNotLoaded) {
  const Report report = Diagnose(HostBuilder().NotReloaded().Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG203"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG704"});
}

TEST(DiagnoseTest, NotRestarted) {
  const Report report = Diagnose(HostBuilder().NotRestarted().Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG302"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG704"});
}

TEST(DiagnoseTest, NotRestartedAndAShimMissingForTheNextStart) {
  HostBuilder machine;
  const Report report =
      Diagnose(machine.NotRestarted().RemoveFile("/usr/lib64/libvgpu-cuda.so").Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG302"});
  EXPECT_EQ(Codes(report.latent), Names{"VG401"});
}

TEST(DiagnoseTest, AWrapperScrubsAndUnitsWereReloadedLater) {
  HostBuilder machine;
  machine.SetExecStart("/opt/start.sh serve");
  machine.SetFile("/opt/start.sh", "#!/bin/sh\nexec env -i ollama serve\n");
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu().ReloadedAt(rules::At("2026-02-24 10:11:00"));
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG207"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG704"});
}

TEST(DiagnoseTest, AServiceThatDiedOnceOfACopy) {
  HostBuilder machine;  // Restart=no: no loop, and not started again
  machine.CrashLooping().SetShown("ActiveState", "failed").SetShown("NRestarts", "0");
  machine.SetExecStart("/usr/local/bin/force_load_shim /usr/local/bin/ollama serve");
  machine.SetFile("/usr/local/bin/force_load_shim", rules::CopyingWrapper());
  machine.SetFile("/opt/vgpu/lib/libvgpu-cuda.so",
                  "\x7f"
                  "ELF");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG207"});
  EXPECT_EQ(Codes(report.consequences), (Names{"VG301", "VG410"}));
}

TEST(DiagnoseTest, ACrashLoopOfWhichOnlyTheJournalIsLeft) {
  HostBuilder machine;
  machine.CrashLooping().RemoveTool(rules::kShow).RemoveTool(rules::kManager);
  machine.RemoveFile("/etc").RemoveFile("/proc").RemoveFile("/usr");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG307"});
  EXPECT_EQ(report.root_causes[0].confidence, Confidence::kPossible);
}

TEST(DiagnoseTest, APlainRootIsInconclusive) {
  HostBuilder machine;
  machine.RemoveFile("/proc").RemoveFile("/sys").RemoveTool(rules::kShow);
  machine.RemoveTool(rules::kManager).RemoveTool(rules::kJournal).RemoveTool(rules::kPs);
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(report.latent.empty());
  EXPECT_FALSE(report.not_observed.empty());
}

TEST(DiagnoseTest, OnlyTheJournalAndWhatSystemdShows) {
  HostBuilder machine;
  machine.NotReloaded().RemoveFile("/proc").RemoveFile("/sys").RemoveFile("/usr");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG203"});
  EXPECT_EQ(*report.subject.pid, 57290);
}

TEST(DiagnoseTest, OnlyTheProcessAndTheFilesOfTheUnit) {
  HostBuilder machine;
  machine.NotRestarted().RemoveTool(rules::kShow).RemoveTool(rules::kManager);
  machine.RemoveTool(rules::kPs).RemoveFile("/sys").RemoveFile("/proc/57290/auxv");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG302"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG704"});
}

TEST(DiagnoseTest, AnExcerptOfShowAndAnEnvironment) {
  HostBuilder machine;
  machine.NotRestarted().ShowOnly({"MainPID", "Environment", "NeedDaemonReload"});
  machine.RemoveTool(rules::kManager).RemoveTool(rules::kPs).WithoutFileTimes();
  machine.RemoveFile("/proc/stat").RemoveFile("/proc/57290/stat").RemoveFile("/proc/57290/maps");
  machine.SetJournal(
      rules::Said(rules::kPid, "", rules::At("2026-02-24 09:41:08"), rules::kCpuLine));
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Codes(report.root_causes), Names{"VG302"});
  EXPECT_EQ(Codes(report.consequences), Names{"VG704"});
}

TEST(DiagnoseTest, ALogAlone) {
  HostBuilder machine;
  machine.FoundNoGpu().RemoveFile("/etc").RemoveFile("/proc").RemoveFile("/usr").RemoveFile("/sys");
  machine.RemoveTool(rules::kShow).RemoveTool(rules::kManager).RemoveTool(rules::kPs);
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);  // whose discovery it was is not known
}

TEST(DiagnoseTest, AnEmptyHost) {
  const Report report = Diagnose(facts::Facts{});
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(report.root_causes.empty());
}

// --- claims that were once written down as root causes, and are false

std::string Roots(const Report& report) { return absl::StrJoin(Codes(report.root_causes), " "); }

TEST(FalseClaimTest, AMissingPreloadFileDoesNotCrashTheProgram) {
  HostBuilder machine;
  const Report report =
      Diagnose(machine.CrashLooping().RemoveFile("/usr/lib64/libvgpu-cuda.so").Gather());
  EXPECT_EQ(Roots(report), "VG307");  // how it dies, and that the reason is not known
  EXPECT_EQ(report.root_causes[0].confidence, Confidence::kPossible);
  ASSERT_EQ(Codes(report.latent), Names{"VG401"});
  EXPECT_TRUE(report.latent[0].explains.empty());
}

// --- what a repair brings back

// The list of vgpu.conf is taken back by a later drop-in, and the service runs without it.
HostBuilder WithoutItsList(absl::string_view later) {
  HostBuilder machine;
  machine.SetFile("/etc/systemd/system/ollama.service.d/zz-later.conf", later);
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu().SetShown("Environment", "PATH=/usr/bin");
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  return machine;
}

const Item* Find(const std::vector<Item>& items, absl::string_view code) {
  for (const Item& item : items) {
    if (item.code == code) return &item;
  }
  return nullptr;
}

TEST(RestoredListTest, AnEntryThatIsMissingIsLatentAndToBeRepairedFirst) {
  for (const char* later :
       {"[Service]\nEnvironment=\n", "[Service]\nUnsetEnvironment=LD_PRELOAD\n"}) {
    HostBuilder machine = WithoutItsList(later);
    machine.RemoveFile("/usr/lib64/libvgpu-cuda.so");
    const Report report = Diagnose(machine.Gather());
    EXPECT_EQ(Roots(report), "VG205") << later;
    const Item* missing = Find(report.latent, "VG401");
    ASSERT_NE(missing, nullptr) << later;
    EXPECT_TRUE(missing->repair_first);
    EXPECT_EQ(missing->evidence[0].source, rules::kDropIn);
    EXPECT_EQ(missing->evidence[0].quote, "/usr/lib64/libvgpu-cuda.so");
    EXPECT_TRUE(absl::StrContains(report.headline, "VG401"));
  }
}

TEST(RestoredListTest, AListThatIsWholeBringsNothingUp) {
  const Report report = Diagnose(WithoutItsList("[Service]\nEnvironment=\n").Gather());
  EXPECT_EQ(Roots(report), "VG205");
  EXPECT_EQ(Find(report.latent, "VG401"), nullptr);
}

TEST(RestoredListTest, AListThatNobodyWantsBackIsNotLookedAt) {
  // The drop-in replaces an old list by one that works.
  HostBuilder machine;
  machine.SetFile("/etc/systemd/system/ollama.service.d/0-old.conf",
                  "[Service]\nEnvironment=LD_PRELOAD=/opt/gone/libvgpu-cuda.so\n");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kHealthy);
  EXPECT_EQ(Find(report.latent, "VG401"), nullptr);
}

TEST(RestoredListTest, ThePartThatWasCutOffIsLookedAtAndBothRepairsAgree) {
  HostBuilder machine;
  machine.SetFile(rules::kDropIn,
                  "[Service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-exec.so "
                  "/usr/lib64/libvgpu-cuda.so\n");
  machine.SetShown("Environment", "LD_PRELOAD=/usr/lib64/libvgpu-exec.so");
  machine.SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-exec.so").FoundNoGpu();
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}, {"/usr/lib64/libvgpu-exec.so", 301}});
  machine.SetElf("/usr/lib64/libvgpu-cuda.so", R"({"error": "file too short"})");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Roots(report), "VG206");
  const Item* short_file = Find(report.latent, "VG403");
  ASSERT_NE(short_file, nullptr);
  EXPECT_TRUE(short_file->repair_first);
  for (const rules::FixStep& step : short_file->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "LD_PRELOAD=/usr/lib64/libvgpu-exec.so\""))
        << "it would take back what VG206 gives: " << step.command;
  }
}

TEST(FalseClaimTest, AnUnquotedOrRepeatedAssignmentIsNoSyntaxError) {
  HostBuilder machine;
  const std::string line = absl::StrCat("Environment=LD_PRELOAD=", rules::kPreload, "\n");
  machine.SetFile(rules::kDropIn, absl::StrCat("[Service]\n", line, line));
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kHealthy);
  EXPECT_TRUE(report.latent.empty());
}

TEST(FalseClaimTest, GoDoesNotTakeTheListFromItsChildren) {
  // The child's own log line shows some variables only; the server has the list.
  HostBuilder machine;
  machine.SetLog({rules::kServerConfigLine, rules::kListeningLine,
                  "time=2026-02-24T10:06:00.400-05:00 level=DEBUG source=server.go:432 "
                  "msg=subprocess PATH=/usr/bin LD_LIBRARY_PATH=/usr/local/lib/ollama",
                  rules::kCpuLine});
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(Roots(report), "VG704");
  EXPECT_EQ(report.root_causes[0].confidence, Confidence::kPossible);
}

TEST(FalseClaimTest, LackingOllamaLibraryPathIsNoFaultAndHavingItIsANote) {
  HostBuilder machine;
  const Report without = Diagnose(machine.FoundNoGpu().Gather());
  EXPECT_EQ(Roots(without), "VG704");
  for (const report::RuledOut& item : without.ruled_out) EXPECT_NE(item.code, "VG510");
  machine.SetFile(rules::kDropIn,
                  absl::StrCat("[Service]\nEnvironment=OLLAMA_LIBRARY_PATH=/x LD_PRELOAD=",
                               rules::kPreload, "\n"));
  const Report with = Diagnose(machine.Gather());
  EXPECT_EQ(Roots(with), "VG704");
  EXPECT_EQ(Codes(with.notes), Names{"VG510"});
  EXPECT_TRUE(with.notes[0].explains.empty());
}

TEST(FalseClaimTest, SkippingAVariantAtTheUsersRequestIsNormal) {
  HostBuilder machine;
  machine.SetLog({rules::kServerConfigLine, rules::kListeningLine, rules::kBeganLine,
                  rules::kSkippingLine, rules::kGpuLine});
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kHealthy);
  EXPECT_TRUE(report.latent.empty());
}

TEST(FalseClaimTest, NoLogLineDoesNotMeanThatDiscoveryDidNotRun) {
  const Report report = Diagnose(HostBuilder().SetJournal("").Gather());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(report.root_causes.empty());
  EXPECT_EQ(Codes(report.notes), Names{"VG705"});
}

TEST(FalseClaimTest, TheServersMapsNeverShowTheBackend) {
  HostBuilder machine;  // they have no libggml-cuda.so, here and on the healthy machine
  const Report report = Diagnose(machine.FoundNoGpu().Gather());
  EXPECT_EQ(Roots(report), "VG704");
  bool said = false;
  for (const report::NotSeen& item : report.not_observed) {
    said = said || absl::StrContains(item.why, "its absence there says nothing");
  }
  EXPECT_TRUE(said);
}

TEST(FalseClaimTest, AFirstPassThatFoundADeviceDoesNotMeanThatItWorks) {
  HostBuilder machine;
  machine.SetLog({rules::kServerConfigLine, rules::kListeningLine, rules::kBeganLine,
                  rules::kFirstPassLine, rules::kFilteredLine, rules::kCpuLine});
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kProblem);
  EXPECT_EQ(Roots(report), "VG703");
  EXPECT_EQ(Codes(report.consequences), (Names{"VG704", "VG708"}));
}

TEST(FalseClaimTest, ATopLevelLinkDoesNotMakeAVariant) {
  HostBuilder machine;
  machine.RemoveFile("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  machine.SetFile("/usr/local/lib/ollama/vulkan/libggml-vulkan.so", "");
  machine.SetFile("/opt/b.so", "").SetLink("/usr/local/lib/ollama/libggml-cuda.so", "/opt/b.so");
  EXPECT_EQ(Roots(Diagnose(machine.FoundNoGpu().Gather())), "VG502");
}

TEST(FalseClaimTest, AnAnswerOverHttpDoesNotMeanThatTheGpuWasUsed) {
  HostBuilder machine;
  machine.SetLog(
      {rules::kServerConfigLine, rules::kListeningLine, rules::kBeganLine, rules::kGpuLine,
       "[GIN] 2026/02/24 - 10:08:00 | 200 |  1.2s | 127.0.0.1 | POST \"/api/generate\""});
  machine.SetPs(R"({"models": [{"name": "llama3.2:1b", "size": 2, "size_vram": 0}]})");
  const Report report = Diagnose(machine.Gather());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(absl::StrContains(report.headline, "llama3.2:1b runs without one (size_vram is 0)"));
}

// --- the smallest set

TEST(ExplainTest, OfTwoCodesThatFitThePrecedenceDecides) {
  const Report report =
      Explained({Finding("VG502", {"VG704"}), Finding("VG508", {"VG704"}), Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG508"});
  EXPECT_EQ(Codes(report.consequences), (Names{"VG502", "VG704"}));
  EXPECT_EQ(report.root_causes[0].explains, (Names{"VG704", "VG502"}));
}

TEST(ExplainTest, WhatIsOnlyPossibleIsNotNeededBesideWhatIsKnown) {
  const Report report = Explained({Found("VG401", Confidence::kPossible, {"VG704"}),
                                   Found("VG503", Confidence::kCertain, {"VG704"}),
                                   Found("VG704", Confidence::kCertain, {})});
  EXPECT_EQ(Codes(report.root_causes), Names{"VG503"});
  EXPECT_EQ(Codes(report.notes), Names{"VG401"});
  EXPECT_EQ(report.headline, "VG503 it is.");
}

TEST(ExplainTest, WhatIsPossibleAndExplainsMoreIsNeeded) {
  const Report report = Explained({Found("VG404", Confidence::kPossible, {"VG307"}),
                                   Found("VG503", Confidence::kLikely, {"VG704"}), Finding("VG307"),
                                   Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), (Names{"VG404", "VG503"}));
}

TEST(ExplainTest, TwoFaultsThatAreSeenAreBothRoots) {
  const Report report =
      Explained({Found("VG401", Confidence::kCertain, {"VG704"}),
                 Found("VG503", Confidence::kLikely, {"VG704"}), Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), (Names{"VG401", "VG503"}));
  EXPECT_TRUE(absl::StartsWith(report.headline, "VG401 it is. ")) << report.headline;
}

TEST(ExplainTest, ATieIsSaid) {
  const Report report =
      Explained({Found("VG611", Confidence::kPossible, {"VG704"}),
                 Found("VG613", Confidence::kPossible, {"VG704"}), Finding("VG704")});
  EXPECT_EQ(Codes(report.root_causes), (Names{"VG611", "VG613"}));
  EXPECT_TRUE(absl::StrContains(report.headline, "VG613 (the device is taken by others)"));
  EXPECT_TRUE(absl::StrContains(report.headline, "does not tell which it is"));
}

TEST(ExplainTest, AStepThatRunsOllamasInstallScriptSaysThatItMayInstallADriver) {
  Judged judged = Finding("VG501");
  std::get<Holds>(judged.judgement).fix = {
      {"curl -fsSL https://ollama.com/install.sh | sh", "why", "", ""},
      {"curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION=0.13.5 sh", "", "own risk", ""},
      {"sudo systemctl restart ollama.service", "why", "own risk", ""}};
  const Report report = Explained({judged});
  ASSERT_EQ(report.root_causes.size(), 1u);
  const std::vector<rules::FixStep>& fix = report.root_causes[0].fix;
  ASSERT_EQ(fix.size(), 3u);
  EXPECT_TRUE(absl::StartsWith(fix[0].risk, "where lspci shows an NVIDIA card"));
  EXPECT_TRUE(absl::StartsWith(fix[1].risk, "own risk; where lspci shows an NVIDIA card"));
  EXPECT_TRUE(absl::StrContains(fix[1].risk, "explain after-update"));
  EXPECT_EQ(fix[2].risk, "own risk");
}

TEST(DiagnoseTest, WhatIsSkippedIsSaid) {
  const facts::Facts facts = HostBuilder().NotRestarted().Gather();
  const Report skipped = Diagnose(facts, {.skip = {"VG302"}});
  EXPECT_EQ(skipped.skipped, Names{"VG302"});
  EXPECT_NE(Codes(skipped.root_causes), Names{"VG302"});
  const Report only = Diagnose(facts, {.only = {"VG302"}});
  EXPECT_EQ(Codes(only.root_causes), Names{"VG302"});
  EXPECT_GT(only.skipped.size(), 10u);
}

// --- captures that lack a piece

// What may be said of `machine` when any one piece of it is removed or cannot be read:
// `truth`, that discovery found no GPU, or what is really missing then; and nothing as
// certain that is not so.
void LacksAnyPiece(const HostBuilder& machine, const std::string& truth) {
  std::vector<std::pair<std::string, HostBuilder>> cases;
  for (const std::string& path : machine.Paths()) {
    cases.emplace_back("without " + path, HostBuilder(machine).RemoveFile(path));
    cases.emplace_back("hidden " + path, HostBuilder(machine).Hide(path));
  }
  for (const std::string& tool : machine.Tools()) {
    cases.emplace_back("without " + tool, HostBuilder(machine).RemoveTool(tool));
  }
  for (const char* dir : {"/proc", "/proc/57290", "/etc", "/usr", "/usr/local", "/sys"}) {
    cases.emplace_back(absl::StrCat("without ", dir), HostBuilder(machine).RemoveFile(dir));
    cases.emplace_back(absl::StrCat("hidden ", dir), HostBuilder(machine).Hide(dir));
  }
  for (const char* key :
       {"MainPID", "Environment", "DropInPaths", "NeedDaemonReload", "FragmentPath", "LoadState",
        "ActiveState", "InvocationID", "ExecStart", "UMask", "ExecMainStartTimestampMonotonic"}) {
    cases.emplace_back(absl::StrCat("without ", key), HostBuilder(machine).RemoveShown(key));
  }
  for (const auto& [what, damaged] : cases) {
    const Report report = Diagnose(damaged.Gather());
    for (const Item& item : report.root_causes) {
      const bool known = item.code == truth || item.code == "VG704";
      const bool of_usr = absl::StrContains(what, "/usr");
      const bool really_missing = (of_usr && (item.code == "VG401" || item.code == "VG501" ||
                                              item.code == "VG208" || item.code == "VG508")) ||
                                  (item.code == "VG502" && absl::StrContains(what, "ggml-cuda"));
      EXPECT_TRUE(known || really_missing || item.confidence != Confidence::kCertain)
          << what << ": " << item.code << ": " << report.headline;
      // Without `systemctl show` nobody knows whether the unit was read: VG302's repair
      // has both steps then.
      const bool both_steps = item.code == "VG302" && truth == "VG203";
      EXPECT_TRUE(known || really_missing || both_steps) << what << ": " << report.headline;
    }
    if (truth.empty()) {
      EXPECT_NE(report.verdict, Verdict::kProblem) << what << ": " << report.headline;
    }
  }
}

TEST(DamagedCaptureTest, OfAHealthyMachine) { LacksAnyPiece(HostBuilder(), ""); }
TEST(DamagedCaptureTest, OfADropInNotLoaded) {
  LacksAnyPiece(HostBuilder().NotReloaded(), "VG203");
}
TEST(DamagedCaptureTest, OfAProcessNotRestarted) {
  LacksAnyPiece(HostBuilder().NotRestarted(), "VG302");
}
TEST(DamagedCaptureTest, OfAStoppedService) { LacksAnyPiece(HostBuilder().Stopped(), "VG301"); }
TEST(DamagedCaptureTest, OfACrashLoop) { LacksAnyPiece(HostBuilder().CrashLooping(), "VG307"); }
TEST(DamagedCaptureTest, OfAScrubbingWrapper) {
  HostBuilder machine;
  machine.SetExecStart("/opt/start.sh serve");
  machine.SetFile("/opt/start.sh", "#!/bin/sh\nexec env -i ollama serve\n");
  LacksAnyPiece(machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu(), "VG207");
}

}  // namespace
}  // namespace vgpu::diagnosis
