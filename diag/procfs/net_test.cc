#include "diag/procfs/net.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "diag/procfs/own_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::string_view kHeading4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode                                                     \n";
constexpr absl::string_view kOllama =
    "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 "
    "1611 1 0000000063db4617 100 0 0 10 0                      \n";
constexpr absl::string_view kClient =
    "   1: 0100007F:2CAA 0100007F:C001 01 00000000:00000000 00:00000000 00000000   998        0 "
    "1712 1 0000000063db4617 20 4 30 10 -1                     \n";

TEST(ParseSockets, OllamaListensOnItsPort) {
  const auto table = ParseSockets(absl::StrCat(kHeading4, kOllama, kClient));
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->sockets.size(), 2u);
  EXPECT_EQ(table->malformed_lines, 0u);
  const Socket& server = table->sockets[0];
  EXPECT_EQ(server.local_address, "127.0.0.1");
  EXPECT_EQ(server.local_port, 11434);
  EXPECT_EQ(server.state, Socket::kListen);
  EXPECT_EQ(server.uid, 998u);
  EXPECT_EQ(server.inode, 1611u);
  EXPECT_EQ(table->sockets[1].state, 1);
  EXPECT_THAT(table->ListeningInodes(11434), ElementsAre(1611));
  EXPECT_THAT(table->ListeningInodes(11435), IsEmpty());
}

TEST(ParseSocketLine, Version6) {
  const auto any = ParseSocketLine(
      "   0: 00000000000000000000000000000000:2CAA 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000   998        0 1611 1 0 100 0 0 10 0");
  ASSERT_TRUE(any.has_value());
  EXPECT_EQ(any->local_address, "::");
  const auto mapped = ParseSocketLine(
      "   0: 0000000000000000FFFF00000100007F:2CAA 0000000000000000FFFF00000100007F:C001 01 "
      "00000000:00000000 00:00000000 00000000     0        0 1611");
  ASSERT_TRUE(mapped.has_value());
  EXPECT_EQ(mapped->local_address, "::ffff:127.0.0.1");
  EXPECT_EQ(mapped->inode, 1611u);
}

TEST(ParseSocketLine, RefusesWhatIsNoSocket) {
  for (absl::string_view line :
       {"", "0: 0100007F:2CAA 00000000:0000 0A", "0 0100007F:2CAA 0 0A 0 0 0 0 0 5",
        "0: 0100007:2CAA 0 0A 0 0 0 0 0 5", "0: 0100007G:2CAA 0 0A 0 0 0 0 0 5",
        "0: 0100007F:2CAAA 0 0A 0 0 0 0 0 5", "0: 0100007F:2CAA 0 0A 0 0 0 x 0 5",
        "0: 0100007F:2CAA 0 100 0 0 0 0 0 5"}) {
    EXPECT_FALSE(ParseSocketLine(line).has_value()) << line;
  }
}

TEST(ParseSockets, MalformedLinesAreCounted) {
  const auto table = ParseSockets(absl::StrCat(kHeading4, "garbage\n", kOllama));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->sockets.size(), 1u);
  EXPECT_EQ(table->malformed_lines, 1u);
}

TEST(ParseSockets, ReadLimitLeavesTheCutLineOut) {
  const std::string text = absl::StrCat(kHeading4, kOllama, kClient);
  const auto cut = ParseSockets(absl::string_view(text).substr(0, text.size() - 60), true);
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_TRUE(cut->truncated);
  EXPECT_EQ(cut->sockets.size(), 1u);
  EXPECT_EQ(cut->malformed_lines, 0u);
}

TEST(ParseSockets, TextThatWasCutBeforeItCameHere) {
  const std::string text = absl::StrCat(kHeading4, kOllama, kClient);
  EXPECT_TRUE(ParseSockets(text)->whole());
  EXPECT_FALSE(ParseSockets(absl::string_view(text).substr(0, text.size() - 60))->whole());
}

TEST(ParseSockets, OtherTextIsAnError) {
  EXPECT_EQ(ParseSockets("").status().message(), "sockets: no heading with local_address: \"\"");
  EXPECT_FALSE(ParseSockets(kOllama).ok());
}

TEST(ParseSockets, ThisProcessListens) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_GE(listener, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  struct stat meta = {};
  ASSERT_EQ(fstat(listener, &meta), 0);

  const auto table = ParseSockets(ReadOwnFile("/proc/self/net/tcp"));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->malformed_lines, 0u);
  EXPECT_THAT(table->ListeningInodes(ntohs(address.sin_port)), Contains(meta.st_ino));
  close(listener);
}

}  // namespace
}  // namespace vgpu::procfs
