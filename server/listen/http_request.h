#ifndef RONDO_SERVER_LISTEN_HTTP_REQUEST_H_
#define RONDO_SERVER_LISTEN_HTTP_REQUEST_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rondo {

// The head of an HTTP request: its line, and its fields. Borrows the text.
//
// Threads: one.
class HttpRequest {
 public:
  // `head`: without the empty line that ends it.
  explicit HttpRequest(absl::string_view head) : head_(head) {}

  absl::string_view line() const { return head_.substr(0, head_.find("\r\n")); }
  // Returns the values of all fields of this name, which may be in any case, with ", " between them; empty: there is
  // none.
  std::string Field(absl::string_view name) const;

 private:
  absl::string_view head_;
};

// Says how much an Accept field wants what is of this media type and version, 0 to 1 (RFC 9110, 12.5.1): by the ranges
// that name the type, with this version or with none. 0: there is none; "*/*" names nothing.
double WantedQuality(absl::string_view accept, absl::string_view type, absl::string_view version);

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_HTTP_REQUEST_H_
