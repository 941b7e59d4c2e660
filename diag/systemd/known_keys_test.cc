#include "diag/systemd/known_keys.h"

#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

TEST(KnownKeysTest, KeysHaveTheirCaseAndTheirSection) {
  EXPECT_EQ(FindKey("Service", "Environment"), KeyKind::kResets);
  EXPECT_EQ(FindKey("Service", "environment"), KeyKind::kUnknown);
  EXPECT_EQ(FindKey("Unit", "Environment"), KeyKind::kUnknown);
  EXPECT_EQ(FindKey("Install", "WantedBy"), KeyKind::kResets);
  EXPECT_EQ(FindKey("Socket", "ListenStream"), KeyKind::kUnknown);
}

TEST(KnownKeysTest, ABareKeyDoesNotResetEverything) {
  EXPECT_EQ(FindKey("Service", "PrivateDevices"), KeyKind::kBoolean);
  EXPECT_EQ(FindKey("Service", "ProtectHome"), KeyKind::kKeeps);
  EXPECT_EQ(FindKey("Unit", "After"), KeyKind::kKeeps);
  EXPECT_EQ(FindKey("Service", "BindReadOnlyPaths"), KeyKind::kResets);
  EXPECT_EQ(FindKey("Service", "Capabilities"), KeyKind::kNoEffect);
}

TEST(KnownKeysTest, TheEndsOfTheTablesAreFound) {
  EXPECT_EQ(FindKey("Unit", "AllowIsolate"), KeyKind::kBoolean);
  EXPECT_EQ(FindKey("Unit", "Wants"), KeyKind::kKeeps);
  EXPECT_EQ(FindKey("Service", "AllowedCPUs"), KeyKind::kResets);
  EXPECT_EQ(FindKey("Service", "WorkingDirectory"), KeyKind::kResets);
  EXPECT_EQ(FindKey("Service", ""), KeyKind::kUnknown);
  EXPECT_EQ(FindKey("Service", "Zzz"), KeyKind::kUnknown);
}

}  // namespace
}  // namespace vgpu::systemd
