#ifndef RONDO_SERVER_LISTEN_INDEX_PAGE_H_
#define RONDO_SERVER_LISTEN_INDEX_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rondo {

// The page for people: one document with its style and its script inside, made of the files in page/ by
// page/embed.cmake.
extern const absl::string_view kIndexPage;

// The Content-Security-Policy for a page: its own <style> and <script>, known by their hashes, count and no others; it
// may ask the server that it came from and nobody else, and nobody may frame it. REQUIRES: one of each in the page,
// without attributes.
std::string ContentPolicyOf(absl::string_view page);

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_INDEX_PAGE_H_
