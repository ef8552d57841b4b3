#include "server/store/session_record.h"

#include <zlib.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/time_text.h"
#include "model/model_spec.h"
#include "server/store/record_bytes.h"

namespace rondo {
namespace {

// The first byte is no ASCII and the line end is one that text tools change: a blob that was handled as text is found.
constexpr absl::string_view kMagic("\x89RONDO\r\n", 8);
constexpr uint32_t kStackFormat = 1, kGraphFormat = 2;  // by what the session's network is
constexpr uint32_t kEndingFormats = 2;                  // more than these: of a session that ends at some time
enum Kind : uint32_t { kSession = 1, kEnded = 2 };

constexpr size_t kFormatAt = 8;
constexpr size_t kKindAt = 12;
constexpr size_t kLengthAt = 16;
constexpr size_t kHeaderBytes = 24;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kFixedBytes = 160;  // more than all of a session that is neither text nor floats

constexpr size_t kMaxIdBytes = 64 + 1 + 128;  // a tenant's name, a space, an id
constexpr size_t kMaxModelNameBytes = 128;
constexpr size_t kMaxReasonBytes = 1024;
constexpr size_t kMaxCellBytes = 8;

uint32_t ChecksumOf(absl::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint64_t NumberAt(absl::string_view bytes, size_t at, size_t width) {
  return RecordReader(bytes.substr(at, width)).Number("header", width);
}

// Returns how many numbers each hidden unit of a layer keeps; 0: no cell of ours has this name.
uint64_t StatesPerUnit(absl::string_view name) {
  for (const Cell cell : kCells) {
    if (CellName(cell) == name) return static_cast<uint64_t>(StateCount(cell));
  }
  return 0;
}

// A record whose fields take about `field_bytes`: they come next, then Finish.
RecordWriter Begin(uint32_t format, Kind kind, size_t field_bytes) {
  RecordWriter writer(kHeaderBytes + field_bytes + kChecksumBytes);
  writer.Raw(kMagic);
  writer.Number(format, 4);
  writer.Number(kind, 4);
  writer.Number(0, 8);
  return writer;
}

std::string Finish(RecordWriter writer) {
  writer.NumberAt(kLengthAt, writer.bytes().size() + kChecksumBytes, 8);
  writer.Number(ChecksumOf(writer.bytes()), kChecksumBytes);
  return writer.Take();
}

struct Unwrapped {
  uint64_t format;
  uint64_t kind;
  absl::string_view fields;
};

// `bytes` begin as a record does, and are long enough for one.
absl::Status CheckBeginning(absl::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::DataLossError(absl::StrCat(bytes.size(), " bytes that do not begin as a session record of Rondo"));
  }
  if (bytes.size() < kHeaderBytes + kChecksumBytes) {
    return absl::DataLossError(
        absl::StrCat("a record of ", bytes.size(), " bytes; wanted ", kHeaderBytes + kChecksumBytes, " or more"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FormatOf(absl::string_view bytes) {
  const uint64_t format = NumberAt(bytes, kFormatAt, 4);
  constexpr uint32_t kNewest = kGraphFormat + kEndingFormats;
  if (format > kNewest) {
    return absl::FailedPreconditionError(
        absl::StrCat("a record has format ", format, "; this version of Rondo knows formats up to ", kNewest));
  }
  if (format < kStackFormat) return absl::DataLossError(absl::StrCat("a record has format ", format));
  return format;
}

absl::Status WrongKind(uint64_t kind) {
  return absl::DataLossError(absl::StrCat("a record is of kind ", kind, "; wanted ", kSession, " or ", kEnded));
}

// A record that is whole and of a format of ours.
absl::StatusOr<Unwrapped> Unwrap(absl::string_view bytes) {
  if (absl::Status status = CheckBeginning(bytes); !status.ok()) return status;
  if (const uint64_t length = NumberAt(bytes, kLengthAt, 8); length != bytes.size()) {
    return absl::DataLossError(absl::StrCat("a record has ", bytes.size(), " bytes; it says that it has ", length));
  }
  const uint64_t checksum = NumberAt(bytes, bytes.size() - kChecksumBytes, kChecksumBytes);
  bytes.remove_suffix(kChecksumBytes);
  if (checksum != ChecksumOf(bytes)) {
    return absl::DataLossError("a record is damaged: its checksum is not that of its bytes");
  }
  const absl::StatusOr<uint64_t> format = FormatOf(bytes);
  if (!format.ok()) return format.status();
  return Unwrapped{*format, NumberAt(bytes, kKindAt, 4), bytes.substr(kHeaderBytes)};
}

void WriteModel(const RecordedModel& model, RecordWriter* writer) {
  writer->Text(model.name);
  writer->Signed(model.version);
  writer->Number(model.fingerprint, 8);
  if (model.graph != 0) {
    writer->Number(model.graph, 8);
  } else {
    writer->Text(model.cell);
    writer->Number(static_cast<uint64_t>(model.num_layers), 4);
    writer->Number(static_cast<uint64_t>(model.hidden_size), 4);
  }
  writer->Number(static_cast<uint64_t>(model.input_size), 4);
  writer->Number(static_cast<uint64_t>(model.output_size), 4);
}

RecordedModel ReadModel(uint64_t format, RecordReader* reader) {
  RecordedModel model;
  model.name = reader->Text("model name", kMaxModelNameBytes);
  model.version = reader->Signed("model version");
  model.fingerprint = reader->Number("model fingerprint", 8);
  const auto size = [reader](absl::string_view field) {
    const uint64_t value = reader->Number(field, 4);
    reader->Require(value > 0, field, "is 0; wanted 1 or more");
    return static_cast<int64_t>(value);
  };
  if (format == kGraphFormat) {
    model.graph = reader->Number("graph fingerprint", 8);
    reader->Require(model.graph != 0, "graph fingerprint", "is 0; wanted another number");
  } else {
    model.cell = reader->Text("cell", kMaxCellBytes);
    model.num_layers = size("num_layers");
    model.hidden_size = size("hidden_size");
    reader->Require(StatesPerUnit(model.cell) > 0, "cell", "is unknown; wanted lstm, gru or rnn");
  }
  model.input_size = size("input_size");
  model.output_size = size("output_size");
  return model;
}

// The state of a plain stack has the size that the record says. By division: a product of sizes that the bytes only
// announce may overflow.
void CheckStackState(const SessionRecord& record, RecordReader* reader) {
  const uint64_t layers = static_cast<uint64_t>(record.model.num_layers);
  const uint64_t layer_size = static_cast<uint64_t>(record.model.hidden_size) * StatesPerUnit(record.model.cell);
  reader->Require(record.state.size() % layers == 0 && record.state.size() / layers == layer_size, "state",
                  absl::StrCat("has ", record.state.size(), " numbers; wanted those of ", layers, " layers of ",
                               record.model.cell, " ", record.model.hidden_size));
}

// What must hold between the fields. Only a graph's model knows the size of its state.
void CheckSession(const SessionRecord& record, RecordReader* reader) {
  if (!reader->status().ok()) return;
  reader->Require(record.position >= 0, "position", "is negative");
  reader->Require(record.position <= SessionRecord::kMaxPosition, "position", "is above 2^62");
  reader->Require(record.idle_timeout_ns > 0, "idle timeout", "is not above 0");
  reader->Require(record.last_timesteps >= 0 && record.last_timesteps <= record.position, "last request",
                  "is longer than all timesteps");
  // A forecast goes on from the newest output, so a session that has moved has one.
  reader->Require(record.position == 0 || record.last_timesteps > 0, "last request", "is missing");
  reader->Require(record.position == 0 || !record.last_reply.empty(), "last reply", "is missing");
  reader->Require(!record.last_time || (*record.last_time >= kMinTime && *record.last_time <= kMaxTime), "last time",
                  "is not in the years 1 to 9999");
  if (record.model.graph == 0) CheckStackState(record, reader);
  const uint64_t row = static_cast<uint64_t>(record.model.output_size);
  reader->Require(record.last_reply.size() % row == 0 &&
                      record.last_reply.size() / row <= static_cast<uint64_t>(record.last_timesteps),
                  "last reply",
                  absl::StrCat("has ", record.last_reply.size(), " numbers; wanted up to ", record.last_timesteps,
                               " rows of ", row));
}

SessionRecord ReadSession(uint64_t format, RecordReader* reader) {
  const bool ends = format > kEndingFormats;
  if (ends) format -= kEndingFormats;
  SessionRecord record;
  record.id = reader->Text("id", kMaxIdBytes);
  record.model = ReadModel(format, reader);
  record.position = reader->Signed("position");
  record.idle_timeout_ns = reader->Signed("idle timeout");
  record.last_used_ns = reader->Signed("time of last use");
  if (ends) record.ends_at_ns = reader->Signed("end");
  record.last_timesteps = reader->Signed("last request");
  record.last_fingerprint = reader->Number("last request's fingerprint", 8);
  const uint64_t has_time = reader->Number("last time", 1);
  const int64_t last_time = reader->Signed("last time");
  reader->Require(has_time <= 1 && (has_time == 1 || last_time == 0), "last time", "is neither there nor absent");
  if (has_time == 1) record.last_time = last_time;
  record.last_reply = reader->Floats("last reply");
  record.state = reader->Floats("state");
  CheckSession(record, reader);
  return record;
}

EndedRecord ReadEnded(RecordReader* reader) {
  EndedRecord record;
  record.id = reader->Text("id", kMaxIdBytes);
  record.reason = reader->Text("reason", kMaxReasonBytes);
  return record;
}

}  // namespace

std::string Encode(const SessionView& session) {
  const bool ends = session.ends_at_ns != SessionFields::kNever;
  const uint32_t format = (session.model.graph == 0 ? kStackFormat : kGraphFormat) + (ends ? kEndingFormats : 0);
  RecordWriter writer = Begin(format, kSession,
                              kFixedBytes + session.id.size() + session.model.name.size() +
                                  (session.last_reply.size() + session.state.size()) * sizeof(float));
  writer.Text(session.id);
  WriteModel(session.model, &writer);
  writer.Signed(session.position);
  writer.Signed(session.idle_timeout_ns);
  writer.Signed(session.last_used_ns);
  if (ends) writer.Signed(session.ends_at_ns);
  writer.Signed(session.last_timesteps);
  writer.Number(session.last_fingerprint, 8);
  writer.Number(session.last_time ? 1 : 0, 1);
  writer.Signed(session.last_time.value_or(0));
  writer.Floats(session.last_reply);
  writer.Floats(session.state);
  return Finish(std::move(writer));
}

std::string Encode(const SessionRecord& record) {
  return Encode(SessionView{record, record.id, record.last_reply, record.state});
}

std::string Encode(const EndedRecord& record) {
  RecordWriter writer = Begin(kStackFormat, kEnded, kFixedBytes + record.id.size() + record.reason.size());
  writer.Text(record.id);
  writer.Text(record.reason);
  return Finish(std::move(writer));
}

absl::StatusOr<StoredRecord> DecodeRecord(absl::string_view bytes) {
  const auto unwrapped = Unwrap(bytes);
  if (!unwrapped.ok()) return unwrapped.status();
  const auto [format, kind, fields] = *unwrapped;
  RecordReader reader(fields);
  StoredRecord record;
  if (kind == kSession) {
    record = ReadSession(format, &reader);
  } else if (kind == kEnded && format == kStackFormat) {
    record = ReadEnded(&reader);
  } else {
    return WrongKind(kind);
  }
  reader.RequireEnd();
  if (!reader.status().ok()) return reader.status();
  return record;
}

absl::StatusOr<RecordHead> DecodeHead(absl::string_view beginning) {
  if (absl::Status status = CheckBeginning(beginning); !status.ok()) return status;
  if (const absl::StatusOr<uint64_t> format = FormatOf(beginning); !format.ok()) return format.status();
  RecordHead head;
  const uint64_t kind = NumberAt(beginning, kKindAt, 4);
  head.ended = kind == kEnded;
  if (head.ended) return head;
  if (kind != kSession) return WrongKind(kind);
  RecordReader reader(beginning.substr(kHeaderBytes));
  reader.Text("id", kMaxIdBytes);
  head.model = reader.Text("model name", kMaxModelNameBytes);
  if (!reader.status().ok()) return reader.status();
  return head;
}

absl::StatusOr<SessionRecord> DecodeSession(absl::string_view bytes) {
  absl::StatusOr<StoredRecord> record = DecodeRecord(bytes);
  if (!record.ok()) return record.status();
  if (auto* session = std::get_if<SessionRecord>(&*record)) return std::move(*session);
  return absl::DataLossError("a record of a session that has ended; wanted one that is live");
}

}  // namespace rondo
