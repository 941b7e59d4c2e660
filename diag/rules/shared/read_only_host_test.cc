#include "diag/rules/shared/read_only_host.h"

#include "absl/strings/match.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/host_builder.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/shared/preloaded.h"
#include "diag/rules/steps.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kShim[] = "/nix/store/0000-vgpu-shims/lib/libvgpu-cuda.so";

facts::Facts Nixos() { return HostBuilder().SetFile("/etc/os-release", "ID=nixos\n").Gather(); }

std::vector<std::string> CommandsOf(const std::vector<FixStep>& steps) {
  std::vector<std::string> commands;
  for (const FixStep& step : steps) commands.push_back(step.command);
  return commands;
}
using Commands = std::vector<std::string>;

TEST(ReadOnlyHostTest, StorePathOfAFileInIt) {
  EXPECT_EQ(StorePathOf(kShim), "/nix/store/0000-vgpu-shims");
  EXPECT_EQ(StorePathOf("/nix/store/0000-ld.so.preload"), "/nix/store/0000-ld.so.preload");
  EXPECT_EQ(StorePathOf("/usr/lib64/libvgpu-cuda.so"), "");
}

TEST(ReadOnlyHostTest, ADamagedFileOfTheStoreIsRepairedByNix) {
  const std::vector<FixStep> fix =
      AsTheHostIsKept(Nixos(), "VG404", {ReplaceFileStep(kShim, "a whole copy")});
  EXPECT_EQ(CommandsOf(fix), (Commands{"nix-store --verify-path /nix/store/0000-vgpu-shims",
                                       "sudo nixos-rebuild switch --repair"}));
  EXPECT_TRUE(std::holds_alternative<ByHand>(fix[1].action));
}

TEST(ReadOnlyHostTest, OneWayOfTwoStaysOne) {
  for (const FixStep& step : AsTheHostIsKept(
           Nixos(), "VG401", {OneWay(ReplaceFileStep(kShim, "one way")), ReloadStep("other")})) {
    EXPECT_FALSE(std::holds_alternative<ByHand>(step.action)) << step.command;
  }
}

TEST(ReadOnlyHostTest, WithNixOnAnotherSystemThePathItselfIs) {
  const facts::Facts facts = HostBuilder().Gather();
  EXPECT_EQ(CommandsOf(AsTheHostIsKept(facts, "VG404", {ReplaceFileStep(kShim, "whole")})),
            (Commands{"nix-store --verify-path /nix/store/0000-vgpu-shims",
                      "sudo nix-store --repair-path /nix/store/0000-vgpu-shims"}));
}

TEST(ReadOnlyHostTest, AWrongBuildOfTheStoreIsConfiguration) {
  const std::vector<FixStep> fix =
      AsTheHostIsKept(Nixos(), "VG408", {ReplaceFileStep(kShim, "one with the soname")});
  EXPECT_EQ(CommandsOf(fix),
            Commands{"sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild switch"});
  EXPECT_TRUE(absl::StrContains(fix[0].why, "one with the soname"));
  EXPECT_TRUE(absl::StrContains(fix[0].why, kShim));
}

TEST(ReadOnlyHostTest, AUnitIsConfigurationAndTheSwitchReloadsIt) {
  const facts::Facts facts = Nixos();
  const std::vector<FixStep> fix = AsTheHostIsKept(
      facts, "VG204",
      {MoveFileStep("/etc/systemd/system/ollama.service.d/x.conf.txt",
                    "/etc/systemd/system/ollama.service.d/x.conf", "gives it its name", ""),
       ReloadStep("systemd reads it"), RestartStep(facts, "a new process")});
  EXPECT_EQ(CommandsOf(fix),
            (Commands{"sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild switch",
                      "sudo systemctl restart ollama.service"}));
  EXPECT_TRUE(absl::StrContains(fix[0].why, "systemd.services"));
}

TEST(ReadOnlyHostTest, WhatDoesNothingOnNixosIsConfigurationToo) {
  for (const char* command : {"sudo install -m 0644 x.so /usr/local/lib/x.so && sudo ldconfig",
                              "curl -fsSL https://ollama.com/install.sh | sh"}) {
    EXPECT_EQ(CommandsOf(AsTheHostIsKept(Nixos(), "VG405", {{command, "why", "", ""}})),
              Commands{"sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild switch"});
    EXPECT_EQ(CommandsOf(AsTheHostIsKept(HostBuilder().Gather(), "VG405", {{command, "", "", ""}})),
              Commands{command});
  }
}

TEST(ReadOnlyHostTest, SeveralStepsThatBecomeOneKeepTheirReasons) {
  const std::vector<FixStep> fix =
      AsTheHostIsKept(Nixos(), "VG418",
                      {ReplaceFileStep(kShim, "the first"),
                       NewLinkStep("/nix/store/1111-x/y", "/z", "the second", "")});
  ASSERT_EQ(fix.size(), 1u);
  EXPECT_TRUE(absl::StrContains(fix[0].why, "the first"));
  EXPECT_TRUE(absl::StrContains(fix[0].why, "the second"));
}

TEST(ReadOnlyHostTest, ADropInOfNixosNamesTheSettingForGood) {
  const std::vector<FixStep> fix = LastDropInSteps(
      Nixos(), "VG205", {"Environment=\"LD_PRELOAD=/nix/store/0-x/lib/a.so\""}, "it wins", "");
  EXPECT_TRUE(absl::StrContains(fix[0].command, "/run/systemd/system/ollama.service.d/"));
  EXPECT_TRUE(absl::StrContains(fix[0].why,
                                "systemd.services.ollama.environment.LD_PRELOAD = lib.mkForce "
                                "\"/nix/store/0-x/lib/a.so\";"))
      << fix[0].why;
  EXPECT_EQ(CommandsOf(AsTheHostIsKept(Nixos(), "VG205", fix)), CommandsOf(fix));
}

TEST(ReadOnlyHostTest, UsrOfAnOstreeHostIsUnlockedFirst) {
  HostBuilder machine;
  machine.SetFile("/run/ostree-booted", "");
  const facts::Facts facts = machine.Gather();
  const FixStep replace = ReplaceFileStep("/usr/lib64/libvgpu-cuda.so", "a whole copy");
  std::vector<FixStep> fix = AsTheHostIsKept(
      facts, "VG404", {replace, replace, RestartStep(facts, "a new process maps it")});
  ASSERT_EQ(fix.size(), 4u);
  EXPECT_EQ(fix[0].command, "sudo ostree admin unlock");
  EXPECT_EQ(fix[1].command, replace.command);
  // What leads to /var there, and what is no part of the deployment.
  for (const char* path : {"/usr/local/lib/ollama/x.so", "/opt/vgpu/x.so", "/etc/vgpu/x"}) {
    EXPECT_EQ(AsTheHostIsKept(facts, "VG404", {ReplaceFileStep(path, "")}).size(), 1u) << path;
  }
}

TEST(ReadOnlyHostTest, ElsewhereNothingChanges) {
  const facts::Facts facts = HostBuilder().Gather();
  const std::vector<FixStep> fix = {ReplaceFileStep("/usr/lib64/libvgpu-cuda.so", ""),
                                    {"sudoedit /etc/systemd/system/ollama.service", "", "", ""},
                                    {"sudo systemctl enable --now ollama.service", "", "", ""},
                                    ReloadStep("")};
  EXPECT_EQ(CommandsOf(AsTheHostIsKept(facts, "VG404", fix)), CommandsOf(fix));
}

TEST(ReadOnlyHostTest, WhatIsInstalledAnewFromTheStore) {
  HostBuilder machine;
  machine.SetFile("/etc/os-release", "ID=nixos\n");
  facts::Facts facts = machine.Gather();
  facts.ollama.exe = {"", std::string("/nix/store/0-ollama-0.13.5/bin/ollama")};
  // The machine's library directory has cuda_v12: the package has CUDA.
  EXPECT_EQ(ReinstallSteps(facts, "why")[1].command, "sudo nixos-rebuild switch --repair");
  EXPECT_TRUE(absl::StrContains(ReinstallSteps(facts, "why", Libraries::kUnfitting)[0].why,
                                "another build of pkgs.ollama-cuda"));
  ollama::LibraryDir plain = *facts.ollama.library_dir;
  plain.variants.clear();
  facts.ollama.library_dir = {"", plain};
  EXPECT_TRUE(absl::StrContains(ReinstallSteps(facts, "why")[0].why,
                                "services.ollama.package = pkgs.ollama-cuda;"));
}

}  // namespace
}  // namespace vgpu::rules
