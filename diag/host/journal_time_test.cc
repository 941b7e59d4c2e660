#include "diag/host/journal_time.h"

#include <string>

#include "diag/logfmt/memory_source.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

std::string Entry(int64_t seconds, const std::string& message) {
  return "{\"MESSAGE\":\"" + message + "\",\"__REALTIME_TIMESTAMP\":\"" + std::to_string(seconds) +
         "000000\"}\n";
}

std::string From(int64_t seconds, const std::string& text) {
  auto part =
      EntriesFrom(absl::FromUnixSeconds(seconds), std::make_unique<logfmt::MemorySource>(text));
  std::string out;
  char buffer[7];
  while (true) {
    const absl::StatusOr<size_t> n = part->Read(buffer, sizeof(buffer));
    EXPECT_TRUE(n.ok());
    if (!n.ok() || *n == 0) return out;
    out.append(buffer, *n);
  }
}

TEST(JournalTime, OfAnEntryAsItsTwoWritersHaveIt) {
  EXPECT_EQ(EntryTime(R"({"__REALTIME_TIMESTAMP" : "1771928040000001", "X" : "1"})"),
            absl::FromUnixMicros(1771928040000001));
  EXPECT_EQ(EntryTime(R"({"__REALTIME_TIMESTAMP":"17"})"), absl::FromUnixMicros(17));
  EXPECT_EQ(EntryTime(R"({"MESSAGE":"x"})"), std::nullopt);
  EXPECT_EQ(EntryTime(R"({"__REALTIME_TIMESTAMP":)"), std::nullopt);
  EXPECT_EQ(EntryTime(R"({"__REALTIME_TIMESTAMP":"99999999999999999999"})"), std::nullopt);
}

TEST(JournalTime, BeginsWithTheFirstThatIsNotOlder) {
  const std::string older = Entry(10, "a") + "no entry\n" + Entry(20, "b");
  // What follows stays, whatever its time is: the clock was set.
  const std::string rest = Entry(30, "c") + Entry(5, "d") + "{\"MESSAGE\":\"cut";
  EXPECT_EQ(From(30, older + rest), rest);
  EXPECT_EQ(From(21, older + rest), rest);
  EXPECT_EQ(From(10, older + rest), older + rest);
  EXPECT_EQ(From(31, older + rest), "");
  EXPECT_EQ(From(1, ""), "");
}

TEST(JournalTime, ALongEntryBeforeItIsPassedOver) {
  const std::string rest = Entry(30, "c");
  EXPECT_EQ(From(30, Entry(10, std::string(3 << 20, 'x')) + rest), rest);
  const std::string longest = Entry(30, std::string(3 << 20, 'x'));
  EXPECT_EQ(From(30, Entry(10, "a") + rest + longest), rest + longest);
}

}  // namespace
}  // namespace vgpu::host
