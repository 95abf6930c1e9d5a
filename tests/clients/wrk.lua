-- wrk -s wrk.lua URL -- FILE: parts of the file and whole ones. Every answer is compared with the file, and
-- what was right and wrong is printed as one line of JSON.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   content = file:read("*a")
   file:close()
   right, wrong, asked = 0, 0, 0
end

function request()
   asked = asked + 1
   if asked % 50 == 0 then return wrk.format("GET") end
   local first = asked * 7919 % #content
   local last = math.min(first + asked % 65536, #content - 1)
   return wrk.format("GET", nil, { Range = "bytes=" .. first .. "-" .. last })
end

-- The names of headers are compared as HTTP has them.
local function header(headers, wanted)
   for name, value in pairs(headers) do
      if name:lower() == wanted then return value end
   end
   return ""
end

function response(status, headers, body)
   local first, last, size = header(headers, "content-range"):match("^bytes (%d+)-(%d+)/(%d+)$")
   local is_part = status == 206 and first and tonumber(size) == #content
      and body == content:sub(tonumber(first) + 1, tonumber(last) + 1)
   local is_whole = status == 200 and body == content
   if is_part or is_whole then right = right + 1 else wrong = wrong + 1 end
end

function done(summary)
   local counted = { right = 0, wrong = 0 }
   for _, thread in ipairs(threads) do
      for name in pairs(counted) do counted[name] = counted[name] + thread:get(name) end
   end
   for name, count in pairs(summary.errors) do counted[name] = count end
   local members = {}
   for name, count in pairs(counted) do table.insert(members, string.format('"%s": %d', name, count)) end
   print("counted: {" .. table.concat(members, ", ") .. "}")
end
