#ifndef RONDO_MODEL_TRAIN_OUTPUT_FOLDER_H_
#define RONDO_MODEL_TRAIN_OUTPUT_FOLDER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_file.h"

namespace rondo::train {

// Makes a folder that appears under its name complete or not at all: it is written beside it, then renamed. A folder
// that exists is never touched. Unless committed, the destructor removes what was written.
class OutputFolder {
 public:
  // Makes the folders above `path` and a new one beside it. ALREADY_EXISTS: `path` does. Others as the system's error.
  static absl::StatusOr<OutputFolder> Create(const std::string& path);
  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  ~OutputFolder();

  // Returns where a file of this name is to be written.
  std::string File(const std::string& name) const;
  // Gives the folder its name, durably. ALREADY_EXISTS: something appeared under the name meanwhile.
  absl::Status Commit();

 private:
  OutputFolder(std::string path, std::string temporary);

  std::string path_, temporary_;
};

// Writes the folder `path` with model.safetensors and files of text, by their names. Errors as Create and Commit, and
// those of a file, after the path; no folder is then left behind.
absl::Status WriteOutput(const std::string& path, const ModelFile& model,
                         const std::vector<std::pair<std::string, std::string>>& texts);

// Checks that nothing is at `path`. ALREADY_EXISTS: there is something.
absl::Status CheckAbsent(const std::string& path);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_OUTPUT_FOLDER_H_
