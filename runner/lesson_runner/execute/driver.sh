# The terminal of a run: one bash that runs the blocks of a lesson as if a person typed them in.
#
# Arguments: the folder for the exchange with the runner, the saved state to begin with, the folder to start in.
# The runner writes requests to the pipe that is standard input at the start, one a line, and reads answers from the
# pipe `reply`. Blocks have an empty standard input, and never see the pipe: it is descriptor 53 outside of them.
#
#   open      a block begins: connect its output, and set its options and variables
#   check     answer whether all texts in the file `text` are complete
#   run       evaluate the text in the file, and answer with its status
#   restore   set the variables that were only for this block to their values before it
#   save      print the state of the terminal into the pipe `state`
#   ask       evaluate the text in the file in a copy of this bash, and answer with what it prints
#
# The text is evaluated by the loop in the command line that starts this bash, not in a function or a sourced
# file, so that `declare` is global, and errors are reported as they are in a terminal.
#
# Must work with bash 3.2 (macOS). Nothing here may depend on what a block can change: call only builtins, as
# `builtin` (a block may define a function `cd`, or unset PATH), switch options off before anything else, and
# prefix all names with `__lesson_`. The state is the difference from the environment that this bash was given,
# so a secret in that environment is not saved.

__lesson_exchange=$1 __lesson_load=$2 __lesson_start=$3
__lesson_after='' __lesson_pending='' __lesson_status=0 __lesson_flags='' __lesson_set='' __lesson_traced=''
__lesson_errexit='' __lesson_running='' __lesson_last=bash
exec 53<&0 </dev/null

# Fill __lesson_list with the names of all variables, set or unset since, that belong neither to bash nor to us.
# (`compgen -v` is not in every bash; `${!prefix*}` is.)
__lesson_variables() {
  local IFS=' ' __lesson_letter __lesson_names=''
  for __lesson_letter in _ {a..z} {A..Z}; do __lesson_names="$__lesson_names \${!$__lesson_letter*}"; done
  eval "__lesson_names=\"$__lesson_names\""
  __lesson_list=()
  for __lesson_name in $__lesson_names; do
    case $__lesson_name in
      __lesson_given_*)
        __lesson_name=${__lesson_name#__lesson_given_}
        eval "[[ -n \${$__lesson_name+x} ]]" && continue
        ;;
      __lesson_* | LESSON_STEP_TOKEN | LESSON_WORKSPACE) continue ;;
      # Those of bash by their full names: a lesson may have a BASH_IT.
      _ | BASH | BASHOPTS | BASHPID | BASH_ALIASES | BASH_ARGC | BASH_ARGV | BASH_ARGV0 | BASH_CMDS) continue ;;
      BASH_COMMAND | BASH_EXECUTION_STRING | BASH_LINENO | BASH_LOADABLES_PATH | BASH_MONOSECONDS) continue ;;
      BASH_REMATCH | BASH_SOURCE | BASH_SUBSHELL | BASH_TRAPSIG | BASH_VERSINFO | BASH_VERSION) continue ;;
      BASH_XTRACEFD | COMP_CWORD | COMP_KEY | COMP_LINE | COMP_POINT | COMP_TYPE | COMP_WORDBREAKS) continue ;;
      COMP_WORDS | COPROC | DIRSTACK | EPOCHREALTIME | EPOCHSECONDS | EUID | FUNCNAME | GROUPS) continue ;;
      HISTCMD | LINENO) continue ;;
      OLDPWD | OPTARG | OPTERR | OPTIND | PIPESTATUS | PPID | PS1 | PWD | RANDOM | SECONDS) continue ;;
      SHELLOPTS | SHLVL | SRANDOM | UID) continue ;;
    esac
    __lesson_list[${#__lesson_list[@]}]=$__lesson_name
  done
}

# Print a command that restores the variable $1, if it has changed since the start.
__lesson_print() {
  if eval "[[ -z \${$1+x} ]]"; then
    if eval "[[ -n \${__lesson_given_$1+x} ]]"; then builtin printf 'builtin unset -v %s\n' "$1"; fi
    # An array without an element 0 also looks unset.
    builtin declare -p "$1" 2>/dev/null
  elif eval "[[ -z \${__lesson_given_$1+x} || \$$1 != \"\$__lesson_given_$1\" ]]"; then
    builtin declare -p "$1"
  fi
}

# Print the state as a script. Runs in a subshell, so it does not change the terminal.
__lesson_describe() {
  local __lesson_place
  builtin umask -p
  builtin shopt -p
  builtin shopt -u nocasematch
  builtin printf '__lesson_flags=%q __lesson_traced=%q\n' "$__lesson_flags" "$__lesson_traced"
  __lesson_variables
  for __lesson_name in "${__lesson_list[@]}"; do __lesson_print "$__lesson_name"; done
  if [[ $(builtin ulimit -S -a) != "$__lesson_limits" ]]; then
    for __lesson_name in c d f l m n s t u v; do
      builtin printf 'builtin ulimit -S -%s %s 2>/dev/null\n' "$__lesson_name" "$(builtin ulimit -S "-$__lesson_name")"
    done
  fi
  for __lesson_name in variables print describe answer closed echo open check done guard ending \
    save ask return startup_file; do
    builtin unset -f "__lesson_$__lesson_name"
  done
  builtin declare -f
  builtin declare -Fx
  builtin alias -p
  for ((__lesson_place = ${#DIRSTACK[@]} - 1; __lesson_place > 0; __lesson_place--)); do
    builtin printf 'builtin cd -- %q && builtin pushd . >/dev/null\n' "${DIRSTACK[__lesson_place]}"
  done
  builtin printf 'builtin cd -- %q || builtin cd -- "$__lesson_start"\n' "$PWD"
  [[ -n $OLDPWD ]] && builtin printf 'OLDPWD=%q\n' "$OLDPWD"
  builtin printf '\n# complete\n'
}

# Answer the runner; if the folder is gone, this bash is of no use. Opened for reading too, a pipe does not wait
# for a reader, so this bash ends if the runner was killed: its standard input is at its end.
__lesson_answer() {
  [[ -p $__lesson_exchange/reply ]] || builtin exit 125
  builtin printf '%s\n' "$1" 2>/dev/null 1<>"$__lesson_exchange/reply" || builtin exit 125
}

# Handle requests until there is text to evaluate, and return 1; return 0 when the runner has closed the terminal.
__lesson_closed() {
  local __lesson_request
  if [[ -n $__lesson_running ]]; then { __lesson_done 0; } 2>/dev/null; fi # the text was `continue 2`
  while IFS= builtin read -r __lesson_request <&53; do
    case $__lesson_request in
      open*) __lesson_open "${__lesson_request#open }" ;;
      check) __lesson_check ;;
      save) __lesson_save ;;
      ask) __lesson_ask ;;
      run)
        IFS= builtin read -r -d '' __lesson_text <"$__lesson_exchange/text"
        __lesson_set="\\builtin set -h$__lesson_errexit$__lesson_flags; \\builtin set $__lesson_pipefail pipefail"
        case $__lesson_traced in
          x) __lesson_text="\\builtin set -x;$__lesson_text" ;;
          *v*) __lesson_echo ;;
        esac
        __lesson_pending=yes __lesson_running=yes
        builtin return 1
        ;;
      restore)
        __lesson_text=$__lesson_after __lesson_set='\builtin set +e' __lesson_pending=restore
        builtin return 1
        ;;
    esac
  done
  builtin return 0
}

# `set -v` is on: show the text as it was written. bash itself would also show what the runner has put around it.
__lesson_echo() {
  local __lesson_shown=${__lesson_text%%$'\n{ __lesson_status='*} __lesson_above=''
  while [[ $__lesson_shown == $'\n'* ]]; do
    __lesson_shown=${__lesson_shown#?} __lesson_above=$__lesson_above$'\n'
  done
  builtin printf '%s\n' "${__lesson_shown%$'\n'}" >&2
  __lesson_text="$__lesson_above\\builtin set -$__lesson_traced;$__lesson_shown"
}

# Begin a block, with what $1 says: `strict`; `apart` if standard error has a pipe of its own; at its end the number of
# a descriptor if the block gets a terminal device. If an earlier block
# has sent the output elsewhere with `exec`, it stays there, as in a terminal.
__lesson_open() {
  local __lesson_errors=out __lesson_device=${1##* }
  [[ $1 == *apart* ]] && __lesson_errors=err
  if [[ ! -e $__lesson_exchange/out.old || /dev/fd/1 -ef $__lesson_exchange/out.old ]]; then
    { exec >"$__lesson_exchange/out"; } 9<>"$__lesson_exchange/out"
  fi
  if [[ ! -e $__lesson_exchange/err.old || /dev/fd/2 -ef $__lesson_exchange/err.old ]]; then
    { exec 2>"$__lesson_exchange/$__lesson_errors"; } 9<>"$__lesson_exchange/$__lesson_errors"
  fi
  exec </dev/null
  case $__lesson_device in
    *[!0-9]*) ;;
    *) builtin eval "exec <&$__lesson_device >&$__lesson_device 2>&$__lesson_device $__lesson_device>&-" ;;
  esac
  __lesson_errexit='' __lesson_pipefail=+o __lesson_after=''
  [[ $1 == *strict* ]] && __lesson_errexit=e __lesson_pipefail=-o
  if [[ -f $__lesson_exchange/variables ]]; then
    while IFS= builtin read -r -d '' __lesson_name; do
      __lesson_after="$__lesson_after$(builtin declare -p "${__lesson_name%%=*}" 2>/dev/null ||
        builtin printf 'builtin unset -v %s' "${__lesson_name%%=*}")"$'\n'
      builtin export "$__lesson_name"
    done <"$__lesson_exchange/variables"
    builtin unset -v __lesson_name
  fi
  __lesson_answer opened
}

# Answer whether each text in the file, with a zero byte after each, is complete. Nothing of it runs: it becomes the
# body of a function.
__lesson_check() {
  local __lesson_text __lesson_found=complete
  while IFS= builtin read -r -d '' __lesson_text; do
    builtin eval "function __lesson_checked {
$__lesson_text
}" 2>/dev/null || __lesson_found=incomplete
  done <"$__lesson_exchange/text"
  builtin unset -f __lesson_checked
  __lesson_answer "$__lesson_found"
}

# A text has been evaluated, with status $1; or, if it has emptied $__lesson_pending, with $__lesson_status. Runs with
# errors discarded, so that `set -x` does not show it.
__lesson_done() {
  __lesson_running=''
  if [[ $__lesson_pending == restore ]]; then
    __lesson_answer restored
    builtin return
  fi
  [[ -z $__lesson_pending ]] || __lesson_status=$1
  __lesson_errexit='' __lesson_pipefail=+o __lesson_flags='' __lesson_traced=''
  # Not by a pattern in `$-`: `shopt -s nocasematch` would take C for e.
  [[ -o errexit ]] && __lesson_errexit=e
  [[ -o pipefail ]] && __lesson_pipefail=-o
  [[ -o allexport ]] && __lesson_flags=a
  [[ -o noglob ]] && __lesson_flags=f$__lesson_flags
  [[ -o nounset ]] && __lesson_flags=u$__lesson_flags
  [[ -o noclobber ]] && __lesson_flags=C$__lesson_flags
  [[ -o errtrace ]] && __lesson_flags=E$__lesson_flags
  [[ -o functrace ]] && __lesson_flags=T$__lesson_flags
  [[ -o physical ]] && __lesson_flags=P$__lesson_flags
  [[ -o verbose ]] && __lesson_traced=v
  [[ -o xtrace ]] && __lesson_traced=x$__lesson_traced
  builtin set +aefnuvxCETP
  __lesson_guard
  __lesson_answer "done $__lesson_status"
}

# Wrap a trap on EXIT, so that the runner learns the status with which bash began to end: a trap such as
# `kill $server; exit 0` would hide that a command has failed.
__lesson_guard() {
  local __lesson_found
  builtin trap -p EXIT >"$__lesson_exchange/bash/trap"
  IFS= builtin read -r -d '' __lesson_found <"$__lesson_exchange/bash/trap"
  case $__lesson_found in
    '' | "trap -- '' EXIT"* | *__lesson_ending*) builtin return ;;
  esac
  builtin eval "builtin set -- ${__lesson_found#trap -- }"
  # Twice, so that `$?` is what it would be; not with `eval`, which `set -x` would show.
  builtin trap -- "if { __lesson_ending \"\$?\"; } 2>/dev/null; then"$'\n'"$1"$'\n'else$'\n'"$1"$'\n'fi EXIT
}

__lesson_ending() {
  { builtin printf '%s\n' "$1" >|"$__lesson_exchange/bash/ended"; } 2>/dev/null
  builtin return "$1"
}

# Print the state. The runner checks whether it is complete.
__lesson_save() {
  (__lesson_describe) 2>/dev/null 1<>"$__lesson_exchange/state"
  __lesson_answer saved
}

# Nothing that the text does changes this bash; it prints one line.
__lesson_ask() {
  local __lesson_text
  IFS= builtin read -r -d '' __lesson_text <"$__lesson_exchange/text"
  __lesson_answer "asked $({ builtin eval "$__lesson_text"; } 2>/dev/null 53<&-)"
}

__lesson_return() { builtin return "$__lesson_status"; }

# Print a startup file as it reads in an interactive bash: such files often return at once in any other.
__lesson_startup_file() {
  local __lesson_line
  while IFS= builtin read -r __lesson_line || [[ -n $__lesson_line ]]; do
    builtin printf '%s\n' "${__lesson_line//\$-/himBHs}"
  done <"$1"
}

__lesson_variables
for __lesson_name in "${__lesson_list[@]}"; do
  case $__lesson_name in
    # bash sets these itself, unexported, so an `export` of one would not count as a change.
    HOSTNAME | HOSTTYPE | IFS | MACHTYPE | OSTYPE | PATH | PS4 | TERM) ;;
    *) eval "__lesson_given_$__lesson_name=\$$__lesson_name" ;;
  esac
done
builtin unset -v __lesson_name __lesson_list
__lesson_limits=$(builtin ulimit -S -a)
builtin shopt -s expand_aliases
PS1='\$ '
builtin cd -- "$__lesson_start"
if [[ -f $__lesson_load ]]; then builtin source "$__lesson_load"; fi
__lesson_answer ready
