-- Neovim's LSP client, which runs the bridge as if it were a language server. Writes one line for each call to $OUT.
local events = 0
local lines = {}
local rpc = vim.lsp.rpc.start(vim.env.NODE, { vim.env.NAUGHT, "bridge", vim.env.IPC }, {
  notification = function(method)
    if method == "watcher/event" then events = events + 1 end
  end,
  on_exit = function() end,
  on_error = function() end,
})
local function call(method, params)
  local done = false
  rpc.request("daemon/" .. method, params, function(refusal, result)
    local told = refusal and ("refused " .. refusal.code) or (result.outcome or "answered")
    table.insert(lines, "daemon/" .. method .. " " .. told)
    done = true
  end)
  if not vim.wait(60000, function() return done end, 10) then table.insert(lines, method .. " is not answered") end
end
call("hello", vim.empty_dict())
call("status", vim.empty_dict())
call("watch", vim.empty_dict())
call("deploy", { id = "nvim", timeout = 60 })
call("attachDeploy", { deploy = "nvim" })
call("abortDeploy", vim.empty_dict())
call("nope", vim.empty_dict())
vim.wait(1000, function() return events > 3 end, 10)
table.insert(lines, "events " .. (events > 3 and "heard" or events))
call("stop", vim.empty_dict())
vim.fn.writefile(lines, vim.env.OUT)
vim.cmd("qall!")
