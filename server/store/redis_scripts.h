#ifndef RONDO_SERVER_STORE_REDIS_SCRIPTS_H_
#define RONDO_SERVER_STORE_REDIS_SCRIPTS_H_

#include "absl/strings/string_view.h"

namespace rondo {

// What RedisStore has Redis do in one step.
//
// The first two scripts refuse a command that comes behind a later one of this store: a connection that was given up
// had delivered the command, and Redis reads it when it wakes. The commands' `number` tells.

// KEYS: the session. ARGV: owner, number, for how long (milliseconds; 0: not) the id is claimed if there is no session:
// then the key says whom to ask, and has no value. Answers "EPOCH OWNERSHIP TRUST VALUE", where the ownership is "kept"
// or "taken" and the trust "whole" or "doubtful"; "held": its owner lives and has been asked; or "" if there is none.
inline constexpr absl::string_view kLoadScript = R"(
local function claim()
  if ARGV[3] == '0' then return '' end
  redis.call('HSET', KEYS[1], 'epoch', '1', 'owner', ARGV[1], 'number', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return ''
end
local held = redis.call('HMGET', KEYS[1], 'epoch', 'value', 'owner', 'number')
if redis.call('EXISTS', KEYS[1]) == 0 then return claim() end
if not held[1] or not (held[2] or (held[3] and held[4])) or held[2] == '' then
  return redis.error_reply('NOTASESSION the key holds another hash')
end
local kept = held[3] == ARGV[1]
if kept and (tonumber(held[4]) or 0) >= tonumber(ARGV[2]) then
  return redis.error_reply('LATE a later command came before')
end
local trust = held[3] == 'doubtful' and 'doubtful ' or 'whole '
if held[3] and not kept and held[3] ~= 'free' and held[3] ~= 'doubtful' then
  local server = 'rondo:server:' .. held[3]
  local life = redis.call('GET', server)
  if life == 'alive' then
    redis.call('HSET', KEYS[1], 'asker', ARGV[1])
    redis.call('LPUSH', server .. ':inbox', 'w' .. string.sub(KEYS[1], 15))
    redis.call('PEXPIRE', server .. ':inbox', 60000)
    return 'held'
  end
  if life ~= 'ended' then trust = 'doubtful ' end
end
if not held[2] then return claim() end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'number', ARGV[2])
redis.call('HDEL', KEYS[1], 'asker')
return redis.call('HGET', KEYS[1], 'epoch') .. (kept and ' kept ' or ' taken ') .. trust .. held[2]
)";

// KEYS: the session. ARGV: owner, number, epoch ("0": SessionStore::kOwnEpoch), value ("": what is there stays), when
// it expires (Unix milliseconds; "": never), who is the owner afterwards. Answers 1, or 0 if it has another owner.
inline constexpr absl::string_view kSaveScript = R"(
local held = redis.call('HMGET', KEYS[1], 'epoch', 'owner', 'number', 'asker')
if held[1] or held[2] then
  if held[2] ~= ARGV[1] or (held[1] ~= ARGV[3] and ARGV[3] ~= '0') then return 0 end
  if (tonumber(held[3]) or 0) >= tonumber(ARGV[2]) then return 0 end
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.error_reply('NOTASESSION the key holds another hash')
elseif ARGV[4] == '' then
  return 1
end
local epoch = ARGV[3]
if epoch == '0' then epoch = held[1] or '1' end
redis.call('HSET', KEYS[1], 'epoch', epoch, 'owner', ARGV[6], 'number', ARGV[2])
if ARGV[6] ~= ARGV[1] and held[4] then
  local inbox = 'rondo:server:' .. held[4] .. ':inbox'
  redis.call('HDEL', KEYS[1], 'asker')
  redis.call('LPUSH', inbox, 'f' .. string.sub(KEYS[1], 15))
  redis.call('PEXPIRE', inbox, 60000)
end
if ARGV[4] == '' then
  if redis.call('HEXISTS', KEYS[1], 'value') == 0 then redis.call('DEL', KEYS[1]) end
  return 1
end
redis.call('HSET', KEYS[1], 'value', ARGV[4])
if ARGV[5] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[5])
end
return 1
)";

// ARGV: cursor, pattern, count: as SCAN has them; how many bytes of each value are wanted at most. Answers "CURSOR "
// and, for each session that was found, "ID-BYTES HEAD-BYTES ", its id and the head of its value.
inline constexpr absl::string_view kScanScript = R"(
local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local found = {page[1] .. ' '}
for _, key in ipairs(page[2]) do
  local value = redis.pcall('HGET', key, 'value')
  if type(value) == 'string' then
    local id = string.sub(key, 15)
    local head = string.sub(value, 1, tonumber(ARGV[4]))
    found[#found + 1] = #id .. ' ' .. #head .. ' ' .. id .. head
  end
end
return table.concat(found)
)";

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_SCRIPTS_H_
