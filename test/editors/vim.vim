" Vim's channels in mode lsp. Writes one line for each call to $OUT.
let g:events = 0
func! Hear(channel, message)
  if get(a:message, 'method', '') ==# 'watcher/event'
    let g:events += 1
  endif
endfunc
let lines = []
try
  let channel = ch_open('unix:' .. $IPC, #{mode: 'lsp', callback: 'Hear', timeout: 60000})
  for [method, params] in [['hello', {}], ['status', {}], ['watch', {}], ['deploy', #{id: 'vim', timeout: 60}],
        \ ['attachDeploy', #{deploy: 'vim'}], ['abortDeploy', {}], ['nope', {}]]
    let answer = ch_evalexpr(channel, #{method: 'daemon/' .. method, params: params}, #{timeout: 60000})
    if has_key(answer, 'error')
      call add(lines, 'daemon/' .. method .. ' refused ' .. answer.error.code)
    else
      call add(lines, 'daemon/' .. method .. ' ' .. get(answer.result, 'outcome', 'answered'))
    endif
  endfor
  sleep 100m
  call add(lines, 'events ' .. (g:events > 3 ? 'heard' : g:events))
  call ch_evalexpr(channel, #{method: 'daemon/stop', params: {}}, #{timeout: 60000})
  call add(lines, 'daemon/stop answered')
catch
  call add(lines, v:exception .. ' ' .. v:throwpoint)
endtry
call writefile(lines, $OUT)
qall!
