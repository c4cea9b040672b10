-- Sends the requests of a list in turn: path, token, revision and body in each line, separated by tabs.
-- usage: wrk … -s requests.lua URL -- LIST METHOD
-- wrk asks for a first request to look at, and does not send it.
local requests, turn = {}, -1
local method

local function format(one, pass)
  local headers = {}
  if one.token ~= '' then headers['authorization'] = 'Bearer ' .. one.token end
  if one.revision then headers['if-match'] = '"' .. (one.revision + pass) .. '"' end
  if one.body == '' then return wrk.format(method, one.path, headers) end
  headers['content-type'] = 'application/json'
  return wrk.format(method, one.path, headers, (one.body:gsub('{turn}', turn)))
end

function init(args)
  method = args[2]
  for line in io.lines(args[1]) do
    local path, token, revision, body = line:match('^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$')
    local one = { path = path, token = token, revision = tonumber(revision), body = body }
    if not one.revision and not body:find('{turn}') then one.ready = format(one, 0) end
    requests[#requests + 1] = one
  end
end

function request()
  turn = turn + 1
  local sent = math.max(turn - 1, 0)
  local one = requests[sent % #requests + 1]
  local pass = math.floor(sent / #requests)
  return one.ready or format(one, pass)
end
