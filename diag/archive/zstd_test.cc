#include "diag/archive/zstd.h"

#include <string>

#include "diag/archive/archive_testing.h"
#include "diag/logfmt/memory_source.h"
#include "gtest/gtest.h"

namespace vgpu::archive {
namespace {

struct Read {
  std::string text;
  std::string error;
};

// Up to `most` bytes.
Read ReadAll(absl::string_view compressed, size_t most = 1 << 24) {
  logfmt::MemorySource source(compressed, 100);
  const std::unique_ptr<host::ByteSource> plain = ReadZstd(source);
  Read read;
  char buffer[4096];
  while (read.text.size() < most) {
    const absl::StatusOr<size_t> n = plain->Read(buffer, sizeof(buffer));
    if (!n.ok()) {
      read.error = std::string(n.status().message());
      break;
    }
    if (*n == 0) break;
    read.text.append(buffer, *n);
  }
  return read;
}

TEST(Zstd, WhatIsWrittenIsRead) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(1 << 20, 'x')}) {
    const std::string compressed = Zstd(text);
    EXPECT_TRUE(LooksLikeZstd(compressed));
    const Read read = ReadAll(compressed);
    EXPECT_EQ(read.error, "");
    EXPECT_TRUE(read.text == text);
  }
  EXPECT_FALSE(LooksLikeZstd("etc/"));
}

TEST(Zstd, TwoStreamsInOneFile) { EXPECT_EQ(ReadAll(Zstd("one ") + Zstd("two")).text, "one two"); }

TEST(Zstd, ACutStreamIsAnError) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919);
  const std::string whole = Zstd(text);
  for (size_t length = 5; length < whole.size(); length += 97) {
    EXPECT_EQ(ReadAll(whole.substr(0, length)).error, "the compressed file is cut off") << length;
  }
}

TEST(Zstd, ADamagedStreamIsAnError) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919);
  std::string damaged = Zstd(text);
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_NE(ReadAll(damaged).error.find("cannot be decompressed: "), std::string::npos);
}

TEST(Zstd, ABombIsReadAsFarAsSomebodyWants) {
  const std::string bomb = Zstd(std::string(size_t{64} << 20, '\0'));
  EXPECT_LT(bomb.size(), 10000u);
  EXPECT_EQ(ReadAll(bomb, 4096).text.size(), 4096u);
}

}  // namespace
}  // namespace vgpu::archive
