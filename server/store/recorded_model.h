#ifndef RONDO_SERVER_STORE_RECORDED_MODEL_H_
#define RONDO_SERVER_STORE_RECORDED_MODEL_H_

#include "model/model.h"
#include "server/store/session_record.h"

namespace rondo {

// Gives what a session's record says of its model.
RecordedModel RecordedModelOf(const Model& model);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_RECORDED_MODEL_H_
