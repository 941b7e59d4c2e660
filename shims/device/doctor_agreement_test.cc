#include "shims/device/doctor_agreement.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "diag/facts/devices.h"
#include "gtest/gtest.h"
#include "shims/device/config.h"

namespace vgpu::device {
namespace {

TEST(DoctorAgreementTest, ProfilesAreTheSame) {
  ASSERT_EQ(AllProfiles().size(), facts::AllProfiles().size());
  for (size_t i = 0; i < AllProfiles().size(); ++i) {
    const Profile& ours = AllProfiles()[i];
    const facts::DeviceProfile& theirs = facts::AllProfiles()[i];
    EXPECT_EQ(std::string(ours.id), std::string(theirs.id));
    EXPECT_EQ(std::string(ours.name), std::string(theirs.name));
    EXPECT_EQ(ours.memory_mib, static_cast<uint64_t>(theirs.memory_mib));
    EXPECT_EQ(absl::StrCat(ours.compute_major, ".", ours.compute_minor),
              std::string(theirs.compute_capability));
    EXPECT_EQ(ours.pci_vendor, theirs.pci_vendor_id);
    EXPECT_EQ(ours.pci_device, theirs.pci_device_id);
    EXPECT_EQ(ours.pci_class, theirs.pci_class);
  }
}

TEST(DoctorAgreementTest, WhatHoldsWithoutAFileIsTheSame) {
  Configuration ours;
  DefaultConfiguration("", &ours);
  const facts::DeviceConfig theirs = facts::DefaultDeviceConfig();
  ASSERT_EQ(theirs.devices.size(), 1u);
  std::array<char, kPciText> pci;
  FormatPci(ours.devices[0].pci, pci);
  EXPECT_EQ(theirs.devices[0].pci_address, pci.data());
  EXPECT_EQ(theirs.devices[0].profile, std::string(ours.devices[0].profile->id));
  EXPECT_EQ(std::string(facts::kDeviceConfigFile), kConfigFile);
}

TEST(DoctorAgreementTest, FilesThatAreRightAndFilesThatAreWrong) {
  for (const char* text : {
           "",
           "\n",
           "[[device]]",
           "[[device]]\n",
           "[[device]]\r\nprofile = \"t4\"\r\n",
           "[ [device] ]\n",
           "[[ device ]] # a comment\n",
           "[[\"device\"]]\n['driver']\nversion = '535.1'\n",
           "[[\"dev\\u0069ce\"]]\n\"pro\\u0066ile\" = \"t\\U00000034\"\n",
           "[device]\n",
           "[[device]\n",
           "[[device]]\n[device]\n",
           "[[device]]\n[driver]\n[driver]\n",
           "[[device]]\n[[driver]]\n[[driver]]\nversion = \"1\"\n",
           "[[device]]\nname = \"a\"\n\"name\" = \"b\"\n",
           "[[device]]\nx = 1\nx = 2\n",
           "x = 1\n\"x\" = 2\n[[device]]\n",
           "[[device]]\nmemory_mib = 0x14000\n",
           "[[device]]\nmemory_mib = 81_920\n",
           "[[device]]\nmemory_mib = 81__920\n",
           "[[device]]\nmemory_mib = +5\n",
           "[[device]]\nmemory_mib = +-5\n",
           "[[device]]\nmemory_mib = -5\n",
           "[[device]]\nmemory_mib = -0\n",
           "[[device]]\nmemory_mib = 1073741824\n",
           "[[device]]\nmemory_mib = 1073741825\n",
           "[[device]]\nmemory_mib = 9223372036854775807\n",
           "[[device]]\nmemory_mib = 9223372036854775808\n",
           "[[device]]\nx = -9223372036854775808\n",
           "[[device]]\nx = -9223372036854775809\n",
           "[[device]]\nx = 0x7fffffffffffffff\n",
           "[[device]]\nx = 0xffffffffffffffff\n",
           "[[device]]\nx = 0b102\n",
           "[[device]]\nx = 0o8\n",
           "[[device]]\nx = 0x\n",
           "[[device]]\nx = 007\n",
           "[[device]]\nx = 9.0\n",
           "[[device]]\nx = 1979-05-27\n",
           "[[device]]\nx = true # yes\n",
           "[[device]]\nx = True\n",
           "[[device]]\nx = [1]\n",
           "[[device]]\nx = {a = 1}\n",
           "[[device]]\nx.y = 1\n",
           "[[device]]\nx y = 1\n",
           "[[device]]\nx =\n",
           "[[device]]\nx = # nothing\n",
           "[[device]]\n= 1\n",
           "[[device]]\nx\n",
           "[[device]]\nx = 1 2\n",
           "[[device]]\nx = \"a\" b\n",
           "[[device]]\nx = \"a\n",
           "[[device]]\nx = \"a\\\n",
           "[[device]]\nx = \"a\\q\"\n",
           "[[device]]\nx = \"\\u12\"\n",
           "[[device]]\nx = \"\\u12G4\"\n",
           "[[device]]\nx = \"\\ud800\"\n",
           "[[device]]\nx = \"\\U00110000\"\n",
           "[[device]]\nx = \"\"\"a\"\"\"\n",
           "[[device]]\nx = '''a'''\n",
           "[[device]]\nx = \"a\tb\"\n",
           "[[device]]\nx = \"a\x01\"\n",
           "[[device]]\nx = \"a\x7f\"\n",
           "[[device]]\nmemory_mib = \"80G\"\n",
           "[[device]]\nmemory_mib = true\n",
           "[[device]]\nname = 5\n",
           "[[device]]\nprofile = 5\n",
           "[[device]]\nprofile = \"h100\"\nmemory_mib = 0\n",
           "[[device]]\nmemory_mib = 0\nprofile = \"h100\"\n",
           "[[device]]\nuuid = \"GPU-d110a105\"\n",
           "[[device]]\nuuid = \"gpu-D110A105-ac29-1d54-7b49-9c90440f215b\"\n",
           "[[device]]\npci_address = \"00000000:0A:00.0\"\n",
           "[[device]]\npci_address = \"0a:00.0\"\n",
           "[[device]]\npci_address = \"10000:0a:00.0\"\n",
           "[[device]]\npci_address = \"0a:20.0\"\n",
           "[[device]]\npci_address = \"\"\n",
           "[[device]]\ncompute_capability = \"009.0\"\n",
           "[[device]]\ncompute_capability = \"9.10\"\n",
           "[[device]]\ncompute_capability = \"9\"\n",
           "[[device]]\npci_device_id = 0x10000\n",
           "[[device]]\npci_class = 0xffffff\n",
           "[[device]]\n[driver]\nversion = 570\n",
           "[[device]]\n[driver]\ncuda_version = \"13.0\"\n",
           "[[device]]\n[driver]\ncuda_version = 13\n",
           "[driver]\nversion = \"570.124.06\"\n",
           "[[device]]\nname = \"a\"\n[other]\nname = \"a\"\n[[device]]\nname = \"b\"\n",
           "device:\n  - profile: t4\n",
           "{\"device\": []}\n",
           "\xef\xbb\xbf[[device]]\n",
       }) {
    EXPECT_EQ(DisagreementWithDoctor(text), "") << text;
  }
}

// Files of the form that is documented: the shims take all of them.
TEST(DoctorAgreementTest, WhatIsWrittenByTheBookIsTaken) {
  std::mt19937 random(7);
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  for (int i = 0; i < 3000; ++i) {
    std::string text = one_in(3) ? "# the devices of this machine\n\n" : "";
    const int devices = 1 + static_cast<int>(random() % 16);
    for (int n = 0; n < devices; ++n) {
      absl::StrAppend(&text, "[[device]]\n");
      if (one_in(2)) {
        const size_t profile = random() % AllProfiles().size();
        absl::StrAppend(&text, "profile = \"", std::string(AllProfiles()[profile].id), "\"\n");
      }
      if (one_in(2)) absl::StrAppendFormat(&text, "pci_address = \"0000:%02x:00.0\"\n", n + 1);
      if (one_in(2)) {
        absl::StrAppendFormat(&text, "uuid = \"GPU-%08x-%04x-%04X-0000-00000000%04x\"  # given\n",
                              random(), random() % 65536, random() % 65536, n);
      }
      if (one_in(2)) absl::StrAppend(&text, "name = \"Device ", n, "\"\n");
      if (one_in(2)) absl::StrAppend(&text, "memory_mib = ", 1 + random() % 200000, "\n");
      if (one_in(2)) absl::StrAppend(&text, "compute_capability = '", 5 + n, ".", n % 10, "'\n");
      if (one_in(3)) absl::StrAppendFormat(&text, "pci_device_id = 0x%x\n", random() % 65536);
      if (one_in(3)) absl::StrAppend(&text, "pci_vendor_id = 0x10de\n");
      if (one_in(3)) absl::StrAppend(&text, "pci_class = 0x030200\n\n");
    }
    if (one_in(2)) {
      absl::StrAppend(&text, "[driver]\nversion = \"570.", random() % 300, ".06\"\n");
      if (one_in(2)) absl::StrAppend(&text, "cuda_version = \"12.", random() % 10, "\"\n");
    }
    Configuration configuration;
    ConfigError error;
    ASSERT_TRUE(ParseConfiguration(text, "", &configuration, &error))
        << text << "line " << error.line << ": " << error.reason.data();
    ASSERT_EQ(configuration.count, devices);
    ASSERT_EQ(DisagreementWithDoctor(text), "") << text;
  }
}

}  // namespace
}  // namespace vgpu::device
