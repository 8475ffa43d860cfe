/**
 * Names of keys and channels in Redis, and the scripts that work on them. All times are those of Redis' own clock, so
 * that clocks of servers don't matter. Each script has a single key, so that Redis Cluster can run it.
 *
 * - `<prefix>:nodes`: hash of the nodes: by URL, the time at which the record expires, a space, and the record in JSON.
 *   The channel of this name carries `+` and a record that is new or has changed, or `-` and the URL of a node that has
 *   taken its record back.
 * - `<prefix>:room:<id>`: sorted set of the URLs of the nodes that hold a part of a room, by the times at which they
 *   expire. The channel of this name carries `+` and the URL of a node that has begun to hold it, or `-` and the URL of
 *   a node that no longer does.
 * - `<prefix>:since`: the time at which Redis was first written to. It is another one after Redis was emptied.
 * - `<prefix>:lease:<name>`: hash of a lease: `holder`, the time `until` which it lasts, and its fencing token, `fence`.
 */

export class Keys {
  readonly nodes: string;
  readonly since: string;
  readonly #rooms: string;
  readonly #leases: string;

  constructor(prefix: string) {
    this.nodes = `${prefix}:nodes`;
    this.since = `${prefix}:since`;
    this.#rooms = `${prefix}:room:`;
    this.#leases = `${prefix}:lease:`;
  }

  /** Returns the key of a lease. */
  lease(name: string): string {
    return this.#leases + name;
  }

  /** Returns the key and channel of a room. */
  room(id: string): string {
    return this.#rooms + id;
  }

  /** Returns the id of the room that a channel is of; undefined for other channels. */
  roomOf(channel: string): string | undefined {
    return channel.startsWith(this.#rooms) ? channel.slice(this.#rooms.length) : undefined;
  }
}

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Writes the record of a node. Arguments: URL, time to live, record. Returns 1 if there was a record of this URL, else 0.
 * Two other records, drawn by lot, go if they have expired: so expired records go soon, however many there are.
 */
export const WRITE_NODE = `${now}
local old = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
if not old or string.match(old, '^%d+ (.*)$') ~= ARGV[3] then redis.call('PUBLISH', KEYS[1], '+' .. ARGV[3]) end
local drawn = redis.call('HRANDFIELD', KEYS[1], 2, 'WITHVALUES')
for index = 1, #drawn, 2 do
  local expires = tonumber(string.match(drawn[index + 1], '^%d+'))
  if not expires or expires <= now then redis.call('HDEL', KEYS[1], drawn[index]) end
end
return old and 1 or 0
`;

/**
 * Takes the record of a node back. Arguments: URL, and the part of the record that is this server's alone, since another
 * server may have the URL by now.
 */
export const REMOVE_NODE = `
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or not string.find(old, ARGV[2], 1, true) then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('PUBLISH', KEYS[1], '-' .. ARGV[1])
return 1
`;

/** Returns the records that have not expired. Arguments: the largest number of them, and of bytes of each. */
export const READ_NODES = `${now}
local all = redis.call('HGETALL', KEYS[1])
local records = {}
for index = 2, #all, 2 do
  if #records >= tonumber(ARGV[1]) then break end
  if #all[index] <= tonumber(ARGV[2]) then
    local expires, record = string.match(all[index], '^(%d+) (.*)$')
    if expires and tonumber(expires) > now then records[#records + 1] = record end
  end
end
return records
`;

/** Writes that Redis is in use, from now on if it was not before. */
export const MARK_USE = `${now}
redis.call('SET', KEYS[1], string.format('%.0f', now), 'NX')
`;

/** Returns for how long Redis has been in use, in ms; -1 if it is not. */
export const READ_AGE = `${now}
local since = tonumber(redis.call('GET', KEYS[1]) or '')
return since and now - since or -1
`;

/** Writes that a node holds a room. Arguments: URL, time to live. */
export const HOLD_ROOM = `${now}
local expires = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if not expires or tonumber(expires) <= now then redis.call('PUBLISH', KEYS[1], '+' .. ARGV[1]) end
`;

/** Writes that a node no longer holds a room. Argument: URL. */
export const RELEASE_ROOM = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then redis.call('PUBLISH', KEYS[1], '-' .. ARGV[1]) end
`;

/** Returns the URLs of the nodes that hold a room. Argument: the largest number of them. */
export const READ_ROOM = `${now}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf', 'LIMIT', 0, ARGV[1])
`;

/**
 * Takes a lease that nobody has, or makes it last longer. Arguments: holder, duration. Returns its fencing token, or 0 if
 * somebody else has it. Tokens of new holders are no smaller than the time, so that they also grow when Redis was emptied.
 */
export const TAKE_LEASE = `${now}
local lease = redis.call('HMGET', KEYS[1], 'holder', 'until', 'fence')
local fence = tonumber(lease[3] or 0)
if lease[1] ~= ARGV[1] then
  if lease[2] and tonumber(lease[2]) > now then return 0 end
  fence = math.max(fence + 1, now)
end
local last = now + ARGV[2]
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', string.format('%.0f', last), 'fence', string.format('%.0f', fence))
return fence
`;

/** Gives a lease back. Argument: holder. */
export const GIVE_LEASE_BACK = `
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HSET', KEYS[1], 'until', 0, 'holder', '') end
`;
