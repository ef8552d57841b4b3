#include "base/text_decoder.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace rondo {
namespace {

constexpr absl::string_view kGzipMark = "\x1F\x8B";
constexpr absl::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr absl::string_view kLittleEndianMark = "\xFF\xFE";
constexpr absl::string_view kBigEndianMark = "\xFE\xFF";
constexpr absl::string_view kParquetMark = "PAR1\x15";  // and the beginning of its first page
constexpr absl::string_view kZipMark = "PK\x03\x04";
constexpr absl::string_view kOldOfficeMark = "\xD0\xCF\x11\xE0";
constexpr int kGzipWindowBits = 15 + 16;  // zlib's way to ask for gzip's frame
constexpr uint32_t kReplacement = 0xFFFD;

bool MayBecome(absl::string_view bytes, absl::string_view mark) {
  return bytes.size() < mark.size() && absl::StartsWith(mark, bytes);
}

// Names what is no text, by how it begins, and how a table is made of it. OK: it may be text.
absl::Status CheckIsText(absl::string_view begin) {
  if (absl::StartsWith(begin, kParquetMark)) {
    return absl::UnimplementedError(
        "is Parquet, which this program is not built with; wanted CSV, as pandas.read_parquet(FILE).to_csv(OTHER) "
        "writes it");
  }
  if (absl::StartsWith(begin, kZipMark)) {
    return absl::UnimplementedError(
        "is a zip archive, as an Excel workbook (.xlsx) is one; wanted CSV, as a spreadsheet's 'Save as' writes it, or "
        "unzip unpacks it");
  }
  if (absl::StartsWith(begin, kOldOfficeMark)) {
    return absl::UnimplementedError(
        "is an old Office file, as an Excel workbook (.xls) is one; wanted CSV, as a spreadsheet's 'Save as' writes "
        "it");
  }
  return absl::OkStatus();
}

void AppendUtf8(uint32_t code, std::string* text) {
  const auto tail = [&](int shift) { *text += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    *text += static_cast<char>(code);
  } else if (code < 0x800) {
    *text += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    *text += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    *text += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

TextDecoder::TextDecoder() = default;

TextDecoder::~TextDecoder() {
  if (gzip_ != nullptr) inflateEnd(gzip_.get());
}

absl::Status TextDecoder::Feed(absl::string_view bytes, Take take) {
  if (packing_ == Packing::kGzip) return Unpack(bytes, take);
  if (packing_ == Packing::kNone) return Decode(bytes, take);
  head_.append(bytes.data(), bytes.size());
  if (MayBecome(head_, kGzipMark)) return absl::OkStatus();
  const std::string head = std::exchange(head_, "");
  packing_ = absl::StartsWith(head, kGzipMark) ? Packing::kGzip : Packing::kNone;
  if (packing_ == Packing::kNone) return Decode(head, take);
  gzip_ = std::make_unique<z_stream_s>();
  if (inflateInit2(gzip_.get(), kGzipWindowBits) != Z_OK) {
    gzip_ = nullptr;
    return absl::ResourceExhaustedError("takes too much memory");
  }
  return Unpack(head, take);
}

absl::Status TextDecoder::Finish(Take take) {
  if (!head_.empty()) {
    packing_ = Packing::kNone;
    if (absl::Status status = Decode(std::exchange(head_, ""), take); !status.ok()) return status;
  }
  if (gzip_ != nullptr && !gzip_ended_) return absl::InvalidArgumentError("ends inside its gzip data");
  if (!mark_.empty()) return take(std::exchange(mark_, ""));
  if (!odd_byte_.empty() || high_surrogate_ != 0) return absl::InvalidArgumentError("ends inside a UTF-16 character");
  return absl::OkStatus();
}

absl::Status TextDecoder::Unpack(absl::string_view bytes, Take take) {
  gzip_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write there
  gzip_->avail_in = static_cast<uInt>(bytes.size());
  std::string text(kMaxPieceBytes, '\0');
  bool more = !bytes.empty();
  while (more) {
    // A file may be several gzip files, one after the other.
    if (gzip_ended_ && inflateReset(gzip_.get()) != Z_OK) return absl::InternalError("zlib cannot begin anew");
    gzip_->next_out = reinterpret_cast<Bytef*>(text.data());
    gzip_->avail_out = static_cast<uInt>(text.size());
    const int result = inflate(gzip_.get(), Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return absl::InvalidArgumentError("has damaged gzip data");
    }
    gzip_ended_ = result == Z_STREAM_END;
    const size_t unpacked = text.size() - gzip_->avail_out;
    if (absl::Status status = Decode({text.data(), unpacked}, take); !status.ok()) return status;
    more = gzip_->avail_in > 0 || (gzip_->avail_out == 0 && !gzip_ended_);
  }
  return absl::OkStatus();
}

absl::Status TextDecoder::Decode(absl::string_view bytes, Take take) {
  std::string head;
  if (encoding_ == Encoding::kUnknown) {
    mark_.append(bytes.data(), bytes.size());
    for (const absl::string_view mark :
         {kUtf8Mark, kLittleEndianMark, kBigEndianMark, kParquetMark, kZipMark, kOldOfficeMark}) {
      if (MayBecome(mark_, mark)) return absl::OkStatus();
    }
    if (absl::Status is_text = CheckIsText(mark_); !is_text.ok()) return is_text;
    head = std::exchange(mark_, "");
    encoding_ = absl::StartsWith(head, kLittleEndianMark) ? Encoding::kUtf16LittleEndian
                : absl::StartsWith(head, kBigEndianMark)  ? Encoding::kUtf16BigEndian
                                                          : Encoding::kUtf8;
    bytes = head;
    if (encoding_ != Encoding::kUtf8) {
      bytes.remove_prefix(kLittleEndianMark.size());
    } else if (absl::StartsWith(bytes, kUtf8Mark)) {
      bytes.remove_prefix(kUtf8Mark.size());
    }
  }
  const bool wide = encoding_ != Encoding::kUtf8;
  const size_t most = wide ? kMaxPieceBytes / 4 : kMaxPieceBytes;  // two bytes become at most three
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, most);
    if (absl::Status status = wide ? DecodeUtf16(piece, take) : take(piece); !status.ok()) return status;
    bytes.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

absl::Status TextDecoder::DecodeUtf16(absl::string_view bytes, Take take) {
  std::string text;
  for (const char byte : bytes) {
    if (odd_byte_.empty()) {
      odd_byte_ = byte;
      continue;
    }
    const auto first = static_cast<unsigned char>(odd_byte_[0]), second = static_cast<unsigned char>(byte);
    odd_byte_.clear();
    AppendUtf16(encoding_ == Encoding::kUtf16BigEndian ? first << 8 | second : second << 8 | first, &text);
  }
  return take(text);
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || length > text.size()) return false;
    for (size_t i = 1; i < length; ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

// A surrogate without its other half becomes the replacement character, as everywhere.
void TextDecoder::AppendUtf16(uint32_t unit, std::string* text) {
  const bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
  const uint32_t high = std::exchange(high_surrogate_, is_high ? unit : 0);
  if (high != 0 && is_low) return AppendUtf8(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00), text);
  if (high != 0) AppendUtf8(kReplacement, text);
  if (!is_high) AppendUtf8(is_low ? kReplacement : unit, text);
}

}  // namespace rondo
