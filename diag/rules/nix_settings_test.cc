#include "diag/rules/nix_settings.h"

#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(NixSettingsTest, AVariableIsOneOfTheEnvironment) {
  EXPECT_EQ(NixSettings("ollama.service", {"Environment=\"LD_PRELOAD=/a.so:/b.so\""}),
            "systemd.services.ollama.environment.LD_PRELOAD = lib.mkForce \"/a.so:/b.so\";");
  EXPECT_EQ(NixSettings("ollama.service", {"Environment=LD_PRELOAD="}),
            "systemd.services.ollama.environment.LD_PRELOAD = lib.mkForce null;");
}

TEST(NixSettingsTest, EveryOtherLineIsOfTheServiceConfig) {
  EXPECT_EQ(NixSettings("ollama.service", {"PrivateDevices=no"}),
            "systemd.services.ollama.serviceConfig.PrivateDevices = lib.mkForce \"no\";");
}

TEST(NixSettingsTest, WhatIsTakenBackFirstIsForced) {
  EXPECT_EQ(
      NixSettings("ollama.service", {"ExecStart=", "ExecStart=/nix/store/x/bin/ollama serve"}),
      "systemd.services.ollama.serviceConfig.ExecStart = lib.mkForce "
      "\"/nix/store/x/bin/ollama serve\";");
  EXPECT_EQ(NixSettings("ollama.service", {"UnsetEnvironment="}),
            "systemd.services.ollama.serviceConfig.UnsetEnvironment = lib.mkForce [ ];");
}

TEST(NixSettingsTest, SeveralOfOneKeyAreAList) {
  EXPECT_EQ(NixSettings("ollama.service", {"DeviceAllow=/dev/a rw", "DeviceAllow=/dev/b rw"}),
            "systemd.services.ollama.serviceConfig.DeviceAllow = lib.mkForce "
            "[ \"/dev/a rw\" \"/dev/b rw\" ];");
}

TEST(NixSettingsTest, WhatNixWouldReadIsEscaped) {
  EXPECT_EQ(NixSettings("ollama@gpu0.service", {"Environment=\"A=${HOME}\\\"\""}),
            "systemd.services.\"ollama@gpu0\".environment.A = lib.mkForce "
            "\"\\${HOME}\\\\\\\"\";");
  EXPECT_EQ(NixSettings("ollama.service", {"no assignment"}), "");
}

}  // namespace
}  // namespace vgpu::rules
