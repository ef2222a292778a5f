# Runs one block of a lesson as if it were typed into the terminal that ran the previous blocks.
#
# Arguments: this file, the state to load, where to save the state, the folder to start in, `strict` or
# `plain`, the block, and NAME=VALUE pairs for this block only.
#
# Must work with bash 3.2 (macOS). Nothing here may depend on what a block can change: call only builtins, as
# `builtin` (a block may define a function `cd`, or unset PATH), switch all options off before saving, and
# prefix all names with `__lesson_`. The state is the difference from the environment that the block was
# given, so a secret in that environment is not saved.

__lesson_load=$2 __lesson_target=$3 __lesson_start=$4 __lesson_mode=$5 __lesson_block=$6
shift 6
__lesson_hidden=' ' __lesson_before='' __lesson_stored=''

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
      BASH_ENV) ;;
      _ | BASH* | COMP_* | COPROC | DIRSTACK | EPOCH* | EUID | FUNCNAME | GROUPS | HISTCMD | LINENO) continue ;;
      OLDPWD | OPTARG | OPTERR | OPTIND | PIPESTATUS | PPID | PWD | RANDOM | SECONDS) continue ;;
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
  builtin umask -p
  builtin shopt -p dotglob extglob failglob globstar inherit_errexit lastpipe nocaseglob nocasematch nullglob
  builtin printf '%s\n' "$__lesson_before"
  __lesson_variables
  for __lesson_name in "${__lesson_list[@]}"; do
    [[ $__lesson_hidden == *" $__lesson_name "* ]] || __lesson_print "$__lesson_name"
  done
  builtin unset -f __lesson_variables __lesson_print __lesson_describe __lesson_store
  builtin declare -f
  builtin declare -F | while IFS= builtin read -r __lesson_name; do
    [[ $__lesson_name == 'declare -fx '* ]] && builtin printf '%s\n' "$__lesson_name"
  done
  builtin printf 'builtin cd -- %q || builtin cd -- "$__lesson_start"\n' "$PWD"
  [[ -n $OLDPWD ]] && builtin printf 'OLDPWD=%q\n' "$OLDPWD"
  builtin printf '# end'
}

# Save the state. If that fails, the step fails, because the next one would start from an older state.
__lesson_store() {
  builtin set +aefnuvxCETP
  builtin trap - DEBUG ERR RETURN
  __lesson_stored=yes
  {
    __lesson_state=$(__lesson_describe)
    [[ $__lesson_state == *'# end' ]] && builtin printf '%s\n# complete\n' "$__lesson_state" >|"$__lesson_target"
  } 2>/dev/null && builtin return
  builtin printf 'the state of the terminal cannot be saved\n' >&2
  builtin exit 1
}

__lesson_variables
for __lesson_name in "${__lesson_list[@]}"; do
  case $__lesson_name in
    # bash sets these itself, unexported, so an `export` of one would not count as a change.
    HOSTNAME | HOSTTYPE | IFS | MACHTYPE | OSTYPE | PATH | PS4 | TERM) ;;
    *) eval "__lesson_given_$__lesson_name=\$$__lesson_name" ;;
  esac
done

builtin cd -- "$__lesson_start"
if [[ -f $__lesson_load ]]; then builtin source "$__lesson_load"; fi

for __lesson_name in "$@"; do
  __lesson_hidden="$__lesson_hidden${__lesson_name%%=*} "
  __lesson_before="$__lesson_before$(__lesson_print "${__lesson_name%%=*}")
"
  builtin export "$__lesson_name"
done
builtin set --
builtin unset -v __lesson_name __lesson_list

# bash parses the group before running it, so `set -v` in the block does not print the rest of this file.
{
  builtin trap '{ builtin set +x; } 2>/dev/null; [[ -n $__lesson_stored ]] || __lesson_store' EXIT
  if [[ $__lesson_mode == strict ]]; then builtin set -eo pipefail; fi
  builtin source "$__lesson_block"
  # The block may have replaced the trap.
  { __lesson_status=$?; builtin set +vx; } 2>/dev/null
  [[ -n $__lesson_stored ]] || __lesson_store
  builtin exit "$__lesson_status"
}
