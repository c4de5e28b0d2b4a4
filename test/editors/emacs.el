;; Emacs's own JSON-RPC library, as its LSP clients use it. Prints one line for each call.
(require 'jsonrpc)
(require 'json)
(let* ((path (pop command-line-args-left))
       (events 0)
       (connection
        (make-instance
         'jsonrpc-process-connection
         :name "naught"
         :process (lambda () (make-network-process :name "naught" :family 'local :service path :coding 'binary))
         :notification-dispatcher
         (lambda (_connection method _params) (when (eq method 'watcher/event) (setq events (1+ events)))))))
  (dolist (call '((daemon/hello) (daemon/status) (daemon/watch) (daemon/deploy :id "emacs" :timeout 60)
                  (daemon/attachDeploy :deploy "emacs") (daemon/abortDeploy) (daemon/nope)))
    (condition-case refusal
        (let ((result (jsonrpc-request connection (car call) (or (cdr call) (make-hash-table)) :timeout 60)))
          (princ (format "%s %s\n" (car call) (or (plist-get result :outcome) "answered"))))
      (jsonrpc-error (princ (format "%s refused %s\n" (car call) (alist-get 'jsonrpc-error-code (cddr refusal)))))))
  (princ (format "events %s\n" (if (> events 3) "heard" events)))
  (jsonrpc-request connection 'daemon/stop (make-hash-table) :timeout 60)
  (princ "daemon/stop answered\n"))
