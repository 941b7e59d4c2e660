#include "diag/procfs/auxv.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "diag/procfs/maps.h"
#include "diag/procfs/own_file.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

std::string Bytes(const std::vector<uint64_t>& words, size_t width = 8) {
  std::string bytes;
  for (uint64_t word : words) {
    for (size_t i = 0; i < width; ++i) bytes += static_cast<char>(word >> (8 * i));
  }
  return bytes;
}

TEST(Auxv, DynamicProgramStartedPlainly) {
  const auto auxv = ParseAuxv(Bytes({33, 0x7ffe0000, 17, 100, 7, 0x7f2c04a00000, 23, 0, 0, 0}));
  ASSERT_TRUE(auxv.ok()) << auxv.status();
  EXPECT_FALSE(auxv->truncated());
  EXPECT_EQ(auxv->entries().size(), 4u);
  EXPECT_EQ(auxv->Find(Auxv::kBase).value(), 0x7f2c04a00000u);
  EXPECT_EQ(auxv->Find(Auxv::kClockTick).value(), 100u);
  EXPECT_FALSE(auxv->Secure().value());
  EXPECT_TRUE(auxv->HasInterpreter().value());
  EXPECT_TRUE(auxv->Find(Auxv::kPlatform).absent());
}

TEST(Auxv, FileCapabilitiesMakeItSecure) {
  const auto auxv = ParseAuxv(Bytes({7, 0x7f2c04a00000, 23, 1, 0, 0}));
  ASSERT_TRUE(auxv.ok()) << auxv.status();
  EXPECT_TRUE(auxv->Secure().value());
}

TEST(Auxv, StaticProgramHasNoInterpreter) {
  const auto auxv = ParseAuxv(Bytes({7, 0, 23, 0, 0, 0}));
  ASSERT_TRUE(auxv.ok()) << auxv.status();
  EXPECT_FALSE(auxv->HasInterpreter().value());
}

TEST(Auxv, VectorWithoutItsEndProvesNoAbsence) {
  for (const std::string& bytes :
       {Bytes({7, 0x1000}), Bytes({7, 0x1000, 23}), Bytes({7, 0x1000, 23, 1}).substr(0, 31)}) {
    const auto auxv = ParseAuxv(bytes);
    ASSERT_TRUE(auxv.ok()) << auxv.status();
    EXPECT_TRUE(auxv->truncated());
    EXPECT_EQ(auxv->Find(Auxv::kBase).value(), 0x1000u);
    EXPECT_EQ(auxv->Secure().why_not(), "auxv: cut off before AT_NULL");
  }
}

TEST(Auxv, KernelThreadHasNone) {
  EXPECT_EQ(ParseAuxv("").status().message(), "auxv: empty, as for a kernel thread or a zombie");
}

TEST(Auxv, VectorOfA32BitProcessIsNotTakenForASecureOne) {
  // AT_SECURE 0 on an even place, so that its tag stays a tag.
  EXPECT_FALSE(ParseAuxv(Bytes({23, 0, 25, 0xffb31d2b, 31, 0xffb32fe9, 0, 0}, 4)).ok());
  // All its tags on odd ones.
  const auto auxv = ParseAuxv(Bytes({23, 0, 25, 0, 0, 0, 0, 0}, 4));
  ASSERT_TRUE(auxv.ok()) << auxv.status();
  EXPECT_TRUE(auxv->Secure().not_observed());
}

TEST(Auxv, OtherBytesAreAnError) {
  EXPECT_EQ(ParseAuxv("words").status().message(), "auxv: too short for one tag");
  EXPECT_TRUE(absl::StartsWith(ParseAuxv("the words of some other file").status().message(),
                               "auxv: there is no tag "));
}

TEST(Auxv, ThisProcess) {
  const auto auxv = ParseAuxv(ReadOwnFile("/proc/self/auxv"));
  ASSERT_TRUE(auxv.ok()) << auxv.status();
  EXPECT_FALSE(auxv->truncated());
  EXPECT_FALSE(auxv->Secure().value());
  EXPECT_EQ(auxv->Find(Auxv::kClockTick).value(), static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(auxv->Find(Auxv::kExecFn).value(), getauxval(AT_EXECFN));
  EXPECT_TRUE(auxv->Find(Auxv::kPlatform).present());
  // The test is a dynamic program, and AT_BASE is where its loader lies.
  ASSERT_TRUE(auxv->HasInterpreter().value());
  bool found = false;
  const MappedObjects maps = ParseMaps(ReadOwnFile("/proc/self/maps")).value();
  for (const MappedFile& file : maps.files) {
    if (file.start != auxv->Find(Auxv::kBase).value()) continue;
    found = true;
    EXPECT_NE(file.path.find("ld-"), std::string::npos) << file.path;
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace vgpu::procfs
