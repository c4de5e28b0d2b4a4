#!/usr/bin/env ruby
# A client of naught with Ruby's standard library: deploys, and follows what happens.
# Usage: client.rb [IPC-FILE]
require "json"
require "socket"

class Naught
  def initialize(path)
    @socket = UNIXSocket.new(path)
    @last = 0
  end

  # Events that come before the answer go to the block.
  def call(method, params = {})
    @last += 1
    body = JSON.generate(jsonrpc: "2.0", id: @last, method: "daemon/#{method}", params: params)
    @socket.write("Content-Length: #{body.bytesize}\r\n\r\n#{body}")
    loop do
      message = read
      if message["method"] == "watcher/event"
        yield message["params"] if block_given?
      elsif !message.key?("method") && [@last, nil].include?(message["id"])
        raise message["error"]["message"] if message["error"]
        return message["result"]
      end
    end
  end

  private

  def read
    length = nil
    while (line = @socket.gets("\r\n")) && line != "\r\n"
      length = line[/\Acontent-length: *(\d+)/i, 1]&.to_i || length
    end
    raise "naught has closed the connection" unless length
    JSON.parse(@socket.read(length))
  end
end

naught = Naught.new(ARGV.fetch(0, "naught.ipc"))
puts "naught #{naught.call("hello")["version"]}"
puts "workers online: #{naught.call("status")["counts"]["online"]}"
settled = naught.call("deploy", timeout: 60) { |event| puts "#{event["sequence"]} #{event["name"]}" }
puts settled["outcome"]
exit settled["outcome"] == "done"
