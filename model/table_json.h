#ifndef RONDO_MODEL_TABLE_JSON_H_
#define RONDO_MODEL_TABLE_JSON_H_

#include "absl/status/status.h"
#include "base/table_format.h"
#include "model/json/object_reader.h"
#include "nlohmann/json.hpp"

namespace rondo {

// Reads the member "table" of a model's description, if it is there; what is wrong goes to `status`.
void ReadTable(ObjectReader& root, TableFormat* table, absl::Status* status);

// Returns that member; null for a table of which nothing is known.
nlohmann::ordered_json TableJson(const TableFormat& table);

// Judges what a text cannot be wrong in by itself: numbers, names and the time zone, which this machine must know.
absl::Status CheckTable(const TableFormat& table);

}  // namespace rondo

#endif  // RONDO_MODEL_TABLE_JSON_H_
