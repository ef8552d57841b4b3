#include "server/rpc/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/log.h"

namespace rondo {
namespace {

// Where in the library the line was written, without the folders of its build.
std::string PlaceOf(absl::string_view file, int line) {
  return absl::StrCat(file.substr(file.rfind('/') + 1), ":", line);
}

void LogLimited(absl::string_view library, const std::string& place, absl::string_view text) {
  int64_t skipped = 0;
  if (!ShouldLogRefusal(absl::StrCat(library, " ", place), &skipped)) return;
  LogEvent(LogLevel::kWarning, "library_log",
           {{"library", std::string(library)},
            {"place", place},
            {"text", std::string(text)},
            {"skipped", absl::StrCat(skipped)}});
}

void LogOfGrpc(gpr_log_func_args* line) { LogLimited("grpc", PlaceOf(line->file, line->line), line->message); }

void LogOfProtobuf(google::protobuf::LogLevel level, const char* file, int line, const std::string& text) {
  const std::string place = PlaceOf(file, line);
  if (level != google::protobuf::LOGLEVEL_FATAL) return LogLimited("protobuf", place, text);
  LogEvent(LogLevel::kError, "library_log", {{"library", "protobuf"}, {"place", place}, {"text", text}});
}

}  // namespace

void SendLibraryLogsToOurs() {
  gpr_set_log_function(&LogOfGrpc);
  google::protobuf::SetLogHandler(&LogOfProtobuf);
}

}  // namespace rondo
