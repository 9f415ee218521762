// Says on the page what went wrong with a passkey. Without this, allauth's script says it in the console only.
document.addEventListener('allauth.error', function () {
  let place = document.getElementById('passkey_error')
  if (!place) {
    place = document.createElement('p')
    place.id = 'passkey_error'
    place.className = 'message error'
    place.setAttribute('role', 'alert')
    document.querySelector('h1').after(place)
  }
  place.textContent = 'The passkey or security key could not be used. Try again, or choose another way.'
})
