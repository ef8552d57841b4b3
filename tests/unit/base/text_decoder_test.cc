#include "base/text_decoder.h"

#include <zlib.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

std::string Gzip(absl::string_view text) {
  z_stream stream = {};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// Decodes bytes that come in two pieces.
absl::Status Decode(absl::string_view bytes, size_t split, std::string* text) {
  TextDecoder decoder;
  const auto take = [text](absl::string_view piece) {
    EXPECT_LE(piece.size(), TextDecoder::kMaxPieceBytes);
    text->append(piece.data(), piece.size());
    return absl::OkStatus();
  };
  absl::Status status = decoder.Feed(bytes.substr(0, split), take);
  if (status.ok()) status = decoder.Feed(bytes.substr(split), take);
  return status.ok() ? decoder.Finish(take) : status;
}

std::string Utf16(bool big_endian) {
  std::string bytes;
  for (const int unit : {0xFEFF, 0x61, 0xE4, 0x20AC, 0xD83D, 0xDE00, 0x0A}) {
    const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xFF);
    bytes += big_endian ? high : low;
    bytes += big_endian ? low : high;
  }
  return bytes;
}

TEST(TextDecoderTest, EverySplitOfEveryKindReadsTheSame) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\n";
  for (const std::string& bytes : {text, "\xEF\xBB\xBF" + text, Utf16(true), Utf16(false), Gzip(text),
                                   Gzip(Utf16(true)), Gzip(text.substr(0, 3)) + Gzip(text.substr(3))}) {
    for (size_t split = 0; split <= bytes.size(); ++split) {
      std::string read;
      ASSERT_EQ(Decode(bytes, split, &read), absl::OkStatus()) << "split at " << split;
      ASSERT_EQ(read, text) << "split at " << split;
    }
  }
}

TEST(TextDecoderTest, Utf16ThatGoesOnAsAnotherMarkDoesIsTextWhereverItIsCut) {
  const std::string bytes = "\xFE\xFF\xEF\xBB\xBF\x22";
  for (size_t split = 0; split <= bytes.size(); ++split) {
    std::string read;
    ASSERT_EQ(Decode(bytes, split, &read), absl::OkStatus()) << "split at " << split;
    ASSERT_EQ(read, "\xEE\xBE\xBB\xEB\xBC\xA2") << "split at " << split;
  }
}

TEST(TextDecoderTest, TextThatUnpacksToAMillionTimesItsSizeComesInSmallPieces) {
  const std::string text(size_t{1} << 22, 'x');
  std::string read;
  ASSERT_EQ(Decode(Gzip(text), 10, &read), absl::OkStatus());
  EXPECT_EQ(read, text);
}

TEST(TextDecoderTest, DamagedOrCutBytesAreAnError) {
  std::string read;
  const std::string packed = Gzip("some text that is long enough to be cut");
  EXPECT_THAT(std::string(Decode(packed.substr(0, packed.size() - 9), 3, &read).message()),
              HasSubstr("ends inside its gzip"));
  EXPECT_THAT(std::string(Decode("\x1F\x8B no gzip at all", 1, &read).message()), HasSubstr("damaged gzip"));
  EXPECT_THAT(std::string(Decode(Utf16(true).substr(0, 5), 1, &read).message()), HasSubstr("ends inside a UTF-16"));
}

TEST(TextDecoderTest, TextThatIsNotUtf8IsTold) {
  for (const char* text : {"", "abc", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
    EXPECT_TRUE(IsUtf8(text)) << text;
  for (const char* text : {"\xC8\xD5", "\x80", "\xC3", "\xE2\x82", "a\xFF", "\xC0\x80"}) EXPECT_FALSE(IsUtf8(text));
}

TEST(TextDecoderTest, WhatIsNoTextIsNamedWhereverItIsCut) {
  const std::pair<std::string, const char*> cases[] = {
      {"PAR1\x15\x04\x15", "is Parquet, which this program is not built with"},
      {"PK\x03\x04\x14\x06", "is a zip archive, as an Excel workbook (.xlsx) is one; wanted CSV"},
      {"\xD0\xCF\x11\xE0\xA1\xB1", "is an old Office file, as an Excel workbook (.xls) is one; wanted CSV"},
  };
  for (const auto& [bytes, message] : cases) {
    for (size_t split = 0; split <= bytes.size(); ++split) {
      std::string text;
      const absl::Status status = Decode(bytes, split, &text);
      EXPECT_TRUE(absl::IsUnimplemented(status)) << split;
      EXPECT_THAT(std::string(status.message()), HasSubstr(message));
      EXPECT_EQ(text, "");
    }
  }
}

TEST(TextDecoderTest, WhatOnlyBeginsLikeAMarkIsText) {
  for (const std::string bytes :
       {"\x1F", "\xEF\xBB", "\xFF", "\xFE", "PAR1", "PAR1,PAR2\n", "PK", "PK,name\n", "\xD0\xCF", ""}) {
    std::string read;
    ASSERT_EQ(Decode(bytes, 0, &read), absl::OkStatus());
    EXPECT_EQ(read, bytes);
  }
}

}  // namespace
}  // namespace rondo
