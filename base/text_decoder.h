#ifndef RONDO_BASE_TEXT_DECODER_H_
#define RONDO_BASE_TEXT_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct z_stream_s;

namespace rondo {

// Turns the bytes of a file, in pieces of any size, into UTF-8 text: gzip is unpacked, UTF-16 that begins with a byte
// order mark is converted, and a UTF-8 byte order mark is dropped. Other bytes pass as they are.
//
// Threads: one at a time.
// Errors:  INVALID_ARGUMENT says what is wrong, as in "ends inside its gzip data"; UNIMPLEMENTED: it is Parquet, a zip
//          archive or an old Office file, and what to do; or the error of `take`. After an error, feed no more.
class TextDecoder {
 public:
  // Takes the next piece of text, at most kMaxPieceBytes long.
  using Take = absl::FunctionRef<absl::Status(absl::string_view)>;
  static constexpr size_t kMaxPieceBytes = size_t{1} << 16;

  TextDecoder();
  ~TextDecoder();
  TextDecoder(const TextDecoder&) = delete;
  TextDecoder& operator=(const TextDecoder&) = delete;

  absl::Status Feed(absl::string_view bytes, Take take);
  absl::Status Finish(Take take);

 private:
  enum class Packing { kUnknown, kNone, kGzip };
  enum class Encoding { kUnknown, kUtf8, kUtf16LittleEndian, kUtf16BigEndian };

  absl::Status Unpack(absl::string_view bytes, Take take);
  absl::Status Decode(absl::string_view bytes, Take take);
  absl::Status DecodeUtf16(absl::string_view bytes, Take take);
  void AppendUtf16(uint32_t unit, std::string* text);

  Packing packing_ = Packing::kUnknown;
  Encoding encoding_ = Encoding::kUnknown;
  std::string head_, mark_;  // the first bytes, and the first unpacked ones, until they tell what follows
  std::unique_ptr<z_stream_s> gzip_;
  bool gzip_ended_ = false;
  std::string odd_byte_;         // half a UTF-16 unit
  uint32_t high_surrogate_ = 0;  // 0: none is open
};

// Tells whether all of a text is UTF-8.
bool IsUtf8(absl::string_view text);

}  // namespace rondo

#endif  // RONDO_BASE_TEXT_DECODER_H_
